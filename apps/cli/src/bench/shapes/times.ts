import { AppError, assert, type ModelSpec } from '@essaim/core';
import { type KernelModel } from '@essaim/kernels';
import { kvBytesPerToken, type KvCache, kvLayoutOf, KvPool } from '@essaim/kv';
import { RopeTable } from '@essaim/runner';
import { seededRandom } from '../random.ts';
import { type Summary, summarise } from '../statistics.ts';
import { type Checked } from './check.ts';

/** Tokens that attention sees, its own included. */
export const CONTEXTS = [1, 1024, 8192] as const;
export const PROMPT_ROWS = 256;

/** Milliseconds. */
export interface PieceTimes {
  /** One row at each context; of attention alone they differ. */
  readonly rowMs: readonly { readonly context: number; readonly ms: Summary }[];
  /** The first 256 tokens of a prompt at once. */
  readonly promptMs: Summary;
}

interface TimesOptions {
  readonly model: KernelModel;
  readonly spec: ModelSpec;
  readonly experts: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
}

export async function timePieces({ model, spec, experts, rounds, signal }: TimesOptions): Promise<Readonly<Record<keyof Checked, PieceTimes>>> {
  const { hiddenSize, feedForward } = spec;
  assert(feedForward.kind === 'moe', 'these shapes have experts');
  const random = seededRandom(3);
  const rows = (count: number): Float32Array => Float32Array.from({ length: count * hiddenSize }, () => random.next() / 2 ** 31 - 1);
  const [one, prompt] = [rows(1), rows(PROMPT_ROWS)];
  const ids = (count: number): number[] => Array.from({ length: count }, () => random.below(spec.vocabSize));
  /** Once more than it counts: the first time is of everything that is touched for the first time. */
  const measure = async (act: (round: number) => Promise<unknown>): Promise<Summary> => {
    const ms: number[] = [];
    for (let round = -1; round < rounds; round++) {
      if (signal.aborted) throw new AppError('cancelled', 'interrupted before everything was measured');
      const startMs = performance.now();
      await act(round + 1);
      if (round >= 0) ms.push(performance.now() - startMs);
    }
    return summarise(ms);
  };
  const anywhere = async (ofOne: (round: number) => Promise<unknown>, ofPrompt: () => Promise<unknown>): Promise<PieceTimes> =>
    ({ rowMs: [{ context: 1, ms: await measure(ofOne) }], promptMs: await measure(ofPrompt) });

  const attention = new AttentionRuns(model, spec);
  const rowMs = [];
  for (const context of CONTEXTS) rowMs.push({ context, ms: await attention.behind(context - 1, 1, (run) => measure(() => run(one))) });
  // Other experts each time, as tokens have them; a prompt's tokens are spread over all that are loaded.
  const chosen = Math.min(experts, feedForward.expertsPerToken);
  const ofRound = (round: number) => Array.from({ length: chosen }, (_, nth) => ({ expert: (round * chosen + nth) % experts, activations: one }));
  const rowsEach = Math.ceil((PROMPT_ROWS * chosen) / experts);
  const ofAll = Array.from({ length: experts }, (_, expert) => ({ expert, activations: prompt.subarray(0, rowsEach * hiddenSize) }));
  return {
    embedding: await anywhere(() => model.embed(ids(1)), () => model.embed(ids(PROMPT_ROWS))),
    attention: { rowMs, promptMs: await attention.behind(0, PROMPT_ROWS, (run) => measure(() => run(prompt))) },
    shared: await anywhere(() => model.dense(0, one), () => model.dense(0, prompt)),
    experts: await anywhere((round) => model.run(0, ofRound(round)), () => model.run(0, ofAll)),
    head: await anywhere(() => model.head(one), () => model.head(prompt)),
  };
}

/** Attention of one sequence whose keys were never computed: what they are changes no time. */
class AttentionRuns {
  readonly #model: KernelModel;
  readonly #pool: KvPool;
  readonly #rope: RopeTable;

  constructor(model: KernelModel, spec: ModelSpec) {
    const layout = kvLayoutOf(spec);
    this.#model = model;
    this.#pool = new KvPool(layout, 2 * kvBytesPerToken(layout) * (Math.max(...CONTEXTS) + PROMPT_ROWS), model.kvMemory);
    this.#rope = new RopeTable(spec);
  }

  /** `count` rows behind `known` tokens. */
  async behind<Result>(known: number, count: number, act: (run: (hidden: Float32Array) => Promise<unknown>) => Promise<Result>): Promise<Result> {
    const cache = this.#pool.reserve(known + count)!;
    fill(cache, known, count);
    const angles = this.#rope.rows(Array.from({ length: count }, (_, nth) => known + nth));
    try {
      return await act((hidden) => this.#model.attend(0, hidden, { angles, even: false, spans: [{ cache, row: 0, count }] }));
    } finally {
      cache.release();
    }
  }
}

function fill(cache: KvCache, known: number, count: number): void {
  const random = seededRandom(5);
  cache.prepare(known + count);
  const { floats } = cache.buffer;
  for (let index = 0; index < floats.length; index++) floats[index] = random.next() / 2 ** 31 - 1;
  cache.commit(new Array<number>(known).fill(0));
}
