import { describe, expect, it } from 'vitest';
import { type MemoryFolder, memoryFolder } from '../test/memory-folder.ts';
import { roles } from '../test/roles.ts';
import { countingTensors, FUSED_SHAPES, MISTRAL_SHAPES, MIXTRAL_SHAPES, TINY_MISTRAL, TINY_MIXTRAL } from '../test/tiny-models.ts';
import { writeSafetensors } from '../test/write-safetensors.ts';
import { openCheckpoint, readModelSpec } from './checkpoint.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;
const folderOf = (config: object, shapes: Shapes): MemoryFolder =>
  memoryFolder({ 'config.json': JSON.stringify(config), 'model.safetensors': writeSafetensors(countingTensors(shapes)) });
const without = (shapes: Shapes, ...names: string[]): Shapes => Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));
const LAYER = 'model.layers.0';

describe('openCheckpoint', () => {
  it('gives the tensors of a Mixtral their roles: w1 is gate, w3 is up, w2 is down', async () => {
    const { spec, weights } = await openCheckpoint(folderOf(TINY_MIXTRAL, MIXTRAL_SHAPES));
    expect(spec.family).toBe('mixtral');
    expect(roles(weights)).toMatchInlineSnapshot(`
      {
        "embedding": "model.embed_tokens.weight 5 x 4",
        "finalNorm": "model.norm.weight 1 x 4",
        "head": "lm_head.weight 5 x 4",
        "layers": [
          {
            "attention": {
              "key": "model.layers.0.self_attn.k_proj.weight 2 x 4",
              "kind": "gqa",
              "output": "model.layers.0.self_attn.o_proj.weight 4 x 4",
              "query": "model.layers.0.self_attn.q_proj.weight 4 x 4",
              "value": "model.layers.0.self_attn.v_proj.weight 2 x 4",
            },
            "feedForward": {
              "correctionBias": null,
              "experts": [
                {
                  "down": "model.layers.0.block_sparse_moe.experts.0.w2.weight 4 x 3",
                  "gate": "model.layers.0.block_sparse_moe.experts.0.w1.weight 3 x 4",
                  "up": "model.layers.0.block_sparse_moe.experts.0.w3.weight 3 x 4",
                },
                {
                  "down": "model.layers.0.block_sparse_moe.experts.1.w2.weight 4 x 3",
                  "gate": "model.layers.0.block_sparse_moe.experts.1.w1.weight 3 x 4",
                  "up": "model.layers.0.block_sparse_moe.experts.1.w3.weight 3 x 4",
                },
              ],
              "kind": "moe",
              "router": "model.layers.0.block_sparse_moe.gate.weight 2 x 4",
              "shared": null,
            },
            "inputNorm": "model.layers.0.input_layernorm.weight 1 x 4",
            "postAttentionNorm": "model.layers.0.post_attention_layernorm.weight 1 x 4",
          },
        ],
      }
    `);
  });

  it('gives the rows of fused experts their roles: gate before up, expert by expert', async () => {
    const { weights } = await openCheckpoint(folderOf(TINY_MIXTRAL, FUSED_SHAPES));
    expect(roles(weights.layers[0]!.feedForward)).toMatchInlineSnapshot(`
      {
        "correctionBias": null,
        "experts": [
          {
            "down": "model.layers.0.mlp.experts.down_proj[0:4] 4 x 3",
            "gate": "model.layers.0.mlp.experts.gate_up_proj[0:3] 3 x 4",
            "up": "model.layers.0.mlp.experts.gate_up_proj[3:6] 3 x 4",
          },
          {
            "down": "model.layers.0.mlp.experts.down_proj[4:8] 4 x 3",
            "gate": "model.layers.0.mlp.experts.gate_up_proj[6:9] 3 x 4",
            "up": "model.layers.0.mlp.experts.gate_up_proj[9:12] 3 x 4",
          },
        ],
        "kind": "moe",
        "router": "model.layers.0.mlp.gate.weight 2 x 4",
        "shared": null,
      }
    `);
  });

  it('gives the tensors of a dense Mistral their roles', async () => {
    const { weights } = await openCheckpoint(folderOf(TINY_MISTRAL, MISTRAL_SHAPES));
    expect(roles(weights.layers[0]!.feedForward)).toMatchInlineSnapshot(`
      {
        "down": "model.layers.0.mlp.down_proj.weight 4 x 3",
        "gate": "model.layers.0.mlp.gate_proj.weight 3 x 4",
        "kind": "dense",
        "up": "model.layers.0.mlp.up_proj.weight 3 x 4",
      }
    `);
  });

  it('takes the embedding for the head where they are tied, also where a head lies beside it', async () => {
    const tied = { ...TINY_MIXTRAL, tie_word_embeddings: true };
    for (const shapes of [MIXTRAL_SHAPES, without(MIXTRAL_SHAPES, 'lm_head.weight')]) {
      const { weights } = await openCheckpoint(folderOf(tied, shapes));
      expect(weights.head).toBe(weights.embedding);
    }
  });

  it('leaves alone what no layer needs: buffers of older checkpoints, tensors beside the model', async () => {
    const shapes = { ...MIXTRAL_SHAPES, [`${LAYER}.self_attn.rotary_emb.inv_freq`]: [1], 'vision_tower.weight': [3] };
    await expect(openCheckpoint(folderOf(TINY_MIXTRAL, shapes))).resolves.toBeDefined();
  });

  it('reads no weights, and closes the folder when it is closed', async () => {
    const folder = folderOf(TINY_MIXTRAL, MIXTRAL_SHAPES);
    const checkpoint = await openCheckpoint(folder);
    expect(folder.reads.map(([, offset]) => offset)).toEqual([0, 8]);
    expect(folder.closed).toBe(false);
    await checkpoint.close();
    expect(folder.closed).toBe(true);
  });

  it.each<[string, object, Shapes, string]>([
    ['a missing tensor', TINY_MIXTRAL, without(MIXTRAL_SHAPES, 'model.norm.weight'), '/models/tiny has no tensor model.norm.weight, which config.json asks for: download all files of one checkpoint again'],
    ['several missing', { ...TINY_MIXTRAL, num_local_experts: 3 }, { ...MIXTRAL_SHAPES, [`${LAYER}.block_sparse_moe.gate.weight`]: [3, 4] }, `has no tensor ${LAYER}.block_sparse_moe.experts.2.w1.weight (and 2 more like it), which config.json asks for`],
    ['no head though it is not tied', TINY_MIXTRAL, without(MIXTRAL_SHAPES, 'lm_head.weight'), '/models/tiny has no tensor lm_head.weight'],
    ['half of the fused experts', TINY_MIXTRAL, without(FUSED_SHAPES, `${LAYER}.mlp.experts.down_proj`), `has no tensor ${LAYER}.mlp.experts.down_proj`],
    ['a matrix the wrong way round', TINY_MIXTRAL, { ...MIXTRAL_SHAPES, [`${LAYER}.self_attn.k_proj.weight`]: [4, 2] }, `/models/tiny/model.safetensors: tensor ${LAYER}.self_attn.k_proj.weight has shape [4, 2], but by config.json it has [2, 4]`],
    ['fused experts of another number', { ...TINY_MIXTRAL, num_local_experts: 1 }, { ...FUSED_SHAPES, [`${LAYER}.mlp.gate.weight`]: [1, 4] }, `tensor ${LAYER}.mlp.experts.gate_up_proj has shape [2, 6, 4], but by config.json it has [1, 6, 4]`],
    ['a layer too many', TINY_MIXTRAL, { ...MIXTRAL_SHAPES, 'model.layers.1.input_layernorm.weight': [4] }, 'has the tensor model.layers.1.input_layernorm.weight, for which config.json has no place'],
    ['an expert too many', TINY_MIXTRAL, { ...MIXTRAL_SHAPES, [`${LAYER}.block_sparse_moe.experts.2.w1.weight`]: [3, 4], [`${LAYER}.block_sparse_moe.experts.2.w2.weight`]: [4, 3] }, 'experts.2.w1.weight (and 1 more like it), for which config.json has no place'],
    ['a bias that would not be added', TINY_MISTRAL, { ...MISTRAL_SHAPES, [`${LAYER}.self_attn.q_proj.bias`]: [4] }, `has the tensor ${LAYER}.self_attn.q_proj.bias, for which config.json has no place`],
  ])('refuses %s, and closes the folder', async (_, config, shapes, sentence) => {
    const folder = folderOf(config, shapes);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(sentence) as string });
    expect(folder.closed).toBe(true);
  });

  it('refuses weights in a form that is not read, and only where they are used', async () => {
    const tensors = countingTensors({ ...MIXTRAL_SHAPES, beside: [2] });
    const stored = (name: string): MemoryFolder => memoryFolder({
      'config.json': JSON.stringify(TINY_MIXTRAL),
      'model.safetensors': writeSafetensors(tensors.map((tensor) => (tensor.name === name ? { ...tensor, dtype: 'U32' } : tensor))),
    });
    await expect(openCheckpoint(stored('beside'))).resolves.toBeDefined();
    await expect(openCheckpoint(stored('model.norm.weight'))).rejects.toMatchObject({ code: 'unimplemented', message: expect.stringContaining('tensor model.norm.weight is stored as U32') as string });
  });
});

describe('readModelSpec', () => {
  it('needs no weights and leaves the folder open to its owner', async () => {
    const folder = memoryFolder({ 'config.json': JSON.stringify(TINY_MISTRAL) });
    expect(await readModelSpec(folder)).toMatchObject({ family: 'mistral', layerCount: 1 });
    expect(folder.closed).toBe(false);
  });
});
