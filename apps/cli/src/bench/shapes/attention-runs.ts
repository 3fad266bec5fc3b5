import { type ModelSpec } from '@essaim/core';
import { type KernelModel } from '@essaim/kernels';
import { type KvCache, kvBytesPerToken, kvLayoutOf, KvPool } from '@essaim/kv';
import { type Attended, type RopeAngles, RopeTable } from '@essaim/runner';
import { seededRandom } from '../random.ts';

/** The longest sequence that is run. */
const MOST_TOKENS = 8192 + 256;

/** Some rows behind tokens that a sequence has already. */
export interface AttentionRun {
  readonly angles: RopeAngles;
  /** [known, latent and rotated key]: random, never computed, of bfloat16. */
  readonly keys: Float32Array;
  /** hidden [count, hidden]; any number of times, since nothing is committed. `sameInAnyChunk` as in `AttentionStep`, false unless given. */
  readonly attend: (hidden: Float32Array, sameInAnyChunk?: boolean) => Promise<Attended>;
}

/** Attention of the one layer. */
export class AttentionRuns {
  readonly #model: KernelModel;
  readonly #pool: KvPool;
  readonly #rope: RopeTable;

  constructor(model: KernelModel, spec: ModelSpec) {
    const layout = kvLayoutOf(spec, 'bf16');
    this.#model = model;
    this.#pool = new KvPool(layout, kvBytesPerToken(layout) * MOST_TOKENS, model.kvMemory);
    this.#rope = new RopeTable(spec);
  }

  async behind<Result>({ known, count }: { readonly known: number; readonly count: number }, act: (run: AttentionRun) => Promise<Result>): Promise<Result> {
    const cache = this.#pool.reserve(known + count)!;
    const keys = fill(cache, known, count);
    const angles = this.#rope.rows(Array.from({ length: count }, (_, nth) => known + nth));
    try {
      return await act({
        angles, keys,
        attend: (hidden, sameInAnyChunk = false) => this.#model.attend(0, hidden, { angles, even: false, sameInAnyChunk, spans: [{ cache, row: 0, count }] }),
      });
    } finally {
      cache.release();
    }
  }
}

/** Returns the keys. */
function fill(cache: KvCache, known: number, count: number): Float32Array {
  const random = seededRandom(5);
  cache.prepare(known + count);
  const keys = Float32Array.from({ length: known * cache.layout.keyWidth }, () => random.next() / 2 ** 31 - 1);
  const halves = new Uint16Array(keys.buffer);
  // Of each number the lower half comes first.
  for (let index = 0; index < halves.length; index += 2) halves[index] = 0;
  cache.append(0, known, { keys: halves.filter((_, index) => index % 2 === 1), values: new Uint16Array(0) });
  cache.commit(new Array<number>(known).fill(0));
  return keys;
}
