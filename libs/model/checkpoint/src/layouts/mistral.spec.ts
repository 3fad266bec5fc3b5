import { type TensorView } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../../test/memory-folder.ts';
import { roles } from '../../test/roles.ts';
import { countingTensors, MISTRAL_SHAPES, TINY_MISTRAL, TINY_PARAMS, TINY_PARAMS_SHAPES } from '../../test/tiny-models.ts';
import { floatBytes, type TensorBytes, writeSafetensors } from '../../test/write-safetensors.ts';
import { openCheckpoint } from '../checkpoint.ts';

describe('a checkpoint in Mistral\'s layout', () => {
  const tensors = countingTensors(TINY_PARAMS_SHAPES);
  const params = { 'params.json': JSON.stringify(TINY_PARAMS) };
  const withExperts = (place: string): TensorBytes[] => [
    ...tensors.filter(({ name }) => !name.includes('feed_forward')),
    ...countingTensors(Object.fromEntries([0, 1].flatMap((expert) => [['w1', [3, 4]], ['w2', [4, 3]], ['w3', [3, 4]]].map(([part, shape]) => [`layers.0.${place}experts.${expert}.${String(part)}.weight`, shape as number[]])))),
    ...countingTensors({ [`layers.0.${place}gate.weight`]: [2, 4] }),
  ];

  it('gives its tensors their roles: w1 is gate, w3 is up, w2 is down', async () => {
    const { spec, weights } = await openCheckpoint(memoryFolder({ ...params, 'consolidated.safetensors': writeSafetensors(tensors) }));
    expect(spec.family).toBe('mistral');
    expect(roles(weights)).toMatchInlineSnapshot(`
      {
        "embedding": "tok_embeddings.weight 5 x 4",
        "finalNorm": "norm.weight 1 x 4",
        "head": "output.weight 5 x 4",
        "layers": [
          {
            "attention": {
              "key": "layers.0.attention.wk.weight 2 x 4",
              "kind": "gqa",
              "output": "layers.0.attention.wo.weight 4 x 4",
              "query": "layers.0.attention.wq.weight 4 x 4",
              "value": "layers.0.attention.wv.weight 2 x 4",
            },
            "feedForward": {
              "down": "layers.0.feed_forward.w2.weight 4 x 3",
              "gate": "layers.0.feed_forward.w1.weight 3 x 4",
              "kind": "dense",
              "up": "layers.0.feed_forward.w3.weight 3 x 4",
            },
            "inputNorm": "layers.0.attention_norm.weight 1 x 4",
            "postAttentionNorm": "layers.0.ffn_norm.weight 1 x 4",
          },
        ],
      }
    `);
  });

  it('turns each head of query and key into halves, value and output not', async () => {
    const files = { 'params.json': JSON.stringify({ ...TINY_PARAMS, head_dim: 4 }), 'consolidated.safetensors': writeSafetensors(withHeadsOfFour()) };
    const { weights: { layers: [layer] } } = await openCheckpoint(memoryFolder(files));
    const { attention } = layer!;
    if (attention.kind === 'mla') throw new Error('the model has grouped queries');
    const firstColumn = async (view: TensorView): Promise<number[]> => [...(await view.read(0, view.rows))].filter((_, place) => place % view.columns === 0);
    expect(await firstColumn(attention.query)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(await firstColumn(attention.key)).toEqual([0, 2, 1, 3]);
    expect(await firstColumn(attention.value)).toEqual([0, 1, 2, 3]);
  });

  it.each(['', 'feed_forward.'])('finds experts in layers.0.%s', async (place) => {
    const files = { 'params.json': JSON.stringify({ ...TINY_PARAMS, moe: { num_experts: 2, num_experts_per_tok: 1 } }), 'consolidated.safetensors': writeSafetensors(withExperts(place)) };
    const { weights: { layers: [layer] } } = await openCheckpoint(memoryFolder(files));
    expect(roles(layer!.feedForward)).toMatchObject({ router: `layers.0.${place}gate.weight 2 x 4`, experts: [{}, { up: `layers.0.${place}experts.1.w3.weight 3 x 4` }] });
  });

  it('is read from shards and their index, and stands back where Hugging Face\'s is whole too', async () => {
    const index = (file: string, names: readonly string[]): string => JSON.stringify({ weight_map: Object.fromEntries(names.map((name) => [name, file])) });
    const shard = 'consolidated-00001-of-00001.safetensors';
    const sharded = { ...params, 'consolidated.safetensors.index.json': index(shard, tensors.map(({ name }) => name)), [shard]: writeSafetensors(tensors) };
    const huggingFace = { 'config.json': JSON.stringify(TINY_MISTRAL), 'model.safetensors': writeSafetensors(countingTensors(MISTRAL_SHAPES)) };
    const embeddingOf = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<string> => (await openCheckpoint(memoryFolder(files))).weights.embedding.name;
    expect(await embeddingOf(sharded)).toBe('tok_embeddings.weight');
    expect(await embeddingOf({ ...sharded, 'config.json': huggingFace['config.json'] })).toBe('tok_embeddings.weight');
    expect(await embeddingOf({ ...sharded, ...huggingFace })).toBe('model.embed_tokens.weight');
  });

  it('that lacks a tensor or has one too many names params.json', async () => {
    const opening = (changed: readonly TensorBytes[]) => openCheckpoint(memoryFolder({ ...params, 'consolidated.safetensors': writeSafetensors(changed) }));
    await expect(opening(tensors.slice(1))).rejects.toMatchObject({ code: 'data_loss', message: '/models/tiny has no tensor tok_embeddings.weight, which params.json asks for: download all files of one checkpoint again' });
    await expect(opening([...tensors, ...countingTensors({ 'layers.1.ffn_norm.weight': [4] })])).rejects.toMatchObject({ message: expect.stringContaining('has the tensor layers.1.ffn_norm.weight, for which params.json has no place') as string });
    await expect(openCheckpoint(memoryFolder(params))).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('has neither consolidated.safetensors nor consolidated.safetensors.index.json') as string });
  });

  /** Two query heads and one of key and value, each value of a tensor its row. */
  function withHeadsOfFour(): TensorBytes[] {
    return tensors.map((tensor) => (/w[qkvo]/.test(tensor.name) ? rowsOf(tensor.name, tensor.name.includes('wq') ? 8 : 4, tensor.name.includes('wo') ? 8 : 4) : tensor));
  }
  const rowsOf = (name: string, rows: number, columns: number): TensorBytes =>
    ({ name, dtype: 'F32', shape: [rows, columns], bytes: floatBytes(Array.from({ length: rows * columns }, (_, place) => Math.floor(place / columns))) });
});
