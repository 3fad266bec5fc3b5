import { AppError, assert, type ModelSpec } from '@essaim/core';
import { type KernelModel } from '@essaim/kernels';
import { seededRandom } from '../random.ts';
import { type Summary, summarise } from '../statistics.ts';
import { AttentionRuns } from './attention-runs.ts';
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
  for (const context of CONTEXTS) rowMs.push({ context, ms: await attention.behind({ known: context - 1, count: 1 }, (run) => measure(() => run.attend(one))) });
  // Other experts each time, as tokens have them; a prompt's tokens are spread over all that are loaded.
  const chosen = Math.min(experts, feedForward.expertsPerToken);
  const ofRound = (round: number) => Array.from({ length: chosen }, (_, nth) => ({ expert: (round * chosen + nth) % experts, activations: one }));
  const rowsEach = Math.ceil((PROMPT_ROWS * chosen) / experts);
  const ofAll = Array.from({ length: experts }, (_, expert) => ({ expert, activations: prompt.subarray(0, rowsEach * hiddenSize) }));
  return {
    embedding: await anywhere(() => model.embed(ids(1)), () => model.embed(ids(PROMPT_ROWS))),
    attention: { rowMs, promptMs: await attention.behind({ known: 0, count: PROMPT_ROWS }, (run) => measure(() => run.attend(prompt))) },
    shared: await anywhere(() => model.dense(0, one), () => model.dense(0, prompt)),
    experts: await anywhere((round) => model.run(0, ofRound(round)), () => model.run(0, ofAll)),
    head: await anywhere(() => model.head(one), () => model.head(prompt)),
  };
}
