import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TensorBytes, writeSafetensors } from '../../libs/model/checkpoint/test/write-safetensors.ts';

const GOLDEN = join(import.meta.dirname, '..', 'golden');
/** Latent attention, a shared expert and 16 routed ones, in Mistral's layout. */
const LAYERS = join(GOLDEN, 'models', 'mistral4-yarn-mistral-layout');
const HIDDEN_SIZE = 64;
const CONTEXT_TOKENS = 2048;

interface Params {
  readonly yarn: { readonly original_max_position_embeddings: number };
}

interface TekkenConfig {
  readonly num_vocab_tokens: number;
  readonly default_num_special_tokens: number;
}

/**
 * A folder as Mistral publishes one, `params.json`, `consolidated.safetensors` and `tekken.json`: the layers of a tiny random model between an
 * embedding and a head as tall as the vocabulary, and positions stretched until a conversation with tools fits.
 */
export function writeTekkenCheckpoint(folder: string): void {
  mkdirSync(folder);
  copyFileSync(join(GOLDEN, 'tokenizers', 'tekken.json'), join(folder, 'tekken.json'));
  const { config } = readJson(join(folder, 'tekken.json')) as { readonly config: TekkenConfig };
  const rows = config.num_vocab_tokens + config.default_num_special_tokens;
  const params = readJson(join(LAYERS, 'params.json')) as Params;
  const yarn = { ...params.yarn, factor: CONTEXT_TOKENS / params.yarn.original_max_position_embeddings };
  writeFileSync(join(folder, 'params.json'), JSON.stringify({ ...params, vocab_size: rows, max_position_embeddings: CONTEXT_TOKENS, yarn }));
  const layers = readTensors(join(LAYERS, 'consolidated.safetensors')).filter(({ name }) => !name.startsWith('tok_embeddings') && !name.startsWith('output'));
  const tables = [table('tok_embeddings.weight', rows, 1), table('output.weight', rows, 0.5)];
  writeFileSync(join(folder, 'consolidated.safetensors'), writeSafetensors([...layers, ...tables]));
}

function readTensors(file: string): TensorBytes[] {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] }>;
  return Object.entries(header).flatMap(([name, { dtype, shape, data_offsets: range }]) =>
    (name === '__metadata__' ? [] : [{ name, dtype, shape, bytes: bytes.subarray(start + range[0], start + range[1]) }]));
}

/** Rows that point every way. */
function table(name: string, rows: number, size: number): TensorBytes {
  let state = name.length;
  const values = Float32Array.from({ length: rows * HIDDEN_SIZE }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return size * (state / 2 ** 31);
  });
  return { name, dtype: 'F32', shape: [rows, HIDDEN_SIZE], bytes: new Uint8Array(values.buffer) };
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
