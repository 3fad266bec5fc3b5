import { openCheckpoint } from '@essaim/checkpoint';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpointFolder } from '../src/index.ts';

/** One layer behind an embedding of 4 GiB: its tensors lie past what 32 bits can address. */
const VOCAB = 1 << 21;
const HIDDEN = 512;
const CONFIG = {
  architectures: ['MistralForCausalLM'], hidden_size: HIDDEN, intermediate_size: 1, max_position_embeddings: 8, num_attention_heads: 1, num_key_value_heads: 1,
  head_dim: 2, num_hidden_layers: 1, rms_norm_eps: 1e-5, rope_theta: 1e4, tie_word_embeddings: true, vocab_size: VOCAB,
};
const SHAPES: readonly (readonly [name: string, shape: readonly number[], dtype?: 'F8_E4M3'])[] = [
  ['model.embed_tokens.weight', [VOCAB, HIDDEN]],
  ['model.layers.0.input_layernorm.weight', [HIDDEN]],
  ['model.layers.0.mlp.down_proj.weight', [HIDDEN, 1]],
  ['model.layers.0.mlp.gate_proj.weight', [1, HIDDEN]],
  ['model.layers.0.mlp.up_proj.weight', [1, HIDDEN]],
  ['model.layers.0.post_attention_layernorm.weight', [HIDDEN]],
  ['model.layers.0.self_attn.k_proj.weight', [2, HIDDEN]],
  ['model.layers.0.self_attn.o_proj.weight', [HIDDEN, 2]],
  ['model.layers.0.self_attn.q_proj.weight_scale', [2, 1]],
  ['model.layers.0.self_attn.q_proj.weight', [2, HIDDEN], 'F8_E4M3'],
  ['model.layers.0.self_attn.v_proj.weight', [2, HIDDEN]],
  ['model.norm.weight', [HIDDEN]],
];

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'essaim-large-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('reads tensors of more than 4 GiB, and those that lie behind them, quantised ones and their scales too', async () => {
  await writeFile(join(directory, 'config.json'), JSON.stringify(CONFIG));
  await writeSparse(join(directory, 'model.safetensors'));
  const { weights, close } = await openCheckpoint(openCheckpointFolder(directory));
  const lastRow = await weights.embedding.read(VOCAB - 1, 1);
  expect(lastRow).toEqual(new Float32Array(HIDDEN).with(HIDDEN - 1, 7));
  expect(await weights.finalNorm.read(0, 1)).toEqual(new Float32Array(HIDDEN).with(HIDDEN - 1, 9));
  expect(await weights.layers[0]!.attention.query.read(1, 1)).toEqual(new Float32Array(HIDDEN).with(HIDDEN - 1, 3));
  expect(await weights.embedding.fingerprint()).not.toBe(await weights.finalNorm.fingerprint());
  await close();
});

/** All zeros but the last values of the embedding, 7, of the query in FP8, 1 x 3, and of the file, 9. A hole takes no space on the disk. */
async function writeSparse(path: string): Promise<void> {
  let end = 0;
  const entries = SHAPES.map(([name, shape, dtype = 'F32']) => {
    const begin = end;
    end += (dtype === 'F32' ? 4 : 1) * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const endOf = (tensor: string): number => entries.find(([name]) => name === tensor)![1].data_offsets[1]!;
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(path, 'w');
  await file.write(Buffer.concat([length, header]), 0, null, 0);
  await file.truncate(8 + header.length + end);
  const write = (bytes: Uint8Array, endOfData: number): Promise<unknown> => file.write(bytes, 0, bytes.length, 8 + header.length + endOfData - bytes.length);
  await write(floatBytes(7), endOf('model.embed_tokens.weight'));
  await write(floatBytes(3), endOf('model.layers.0.self_attn.q_proj.weight_scale'));
  await write(Uint8Array.of(ONE_IN_E4M3), endOf('model.layers.0.self_attn.q_proj.weight'));
  await write(floatBytes(9), end);
  await file.close();
}

const ONE_IN_E4M3 = 0x38;
const floatBytes = (value: number): Uint8Array => new Uint8Array(Float32Array.of(value).buffer);
