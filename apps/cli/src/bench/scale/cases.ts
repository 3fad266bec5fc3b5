import { measureDispatch, measureRouting } from './dispatching.ts';
import { measureScheduling } from './scheduling.ts';

/** One thing that a lead does for every active token, at one size. */
export interface ScaleCase {
  readonly name: string;
  /** Active tokens of a step. */
  readonly tokens: number;
  /** Nanoseconds of processor time per active token. */
  readonly measure: () => Promise<number>;
}

/** What is compared with itself as tokens grow: linear means that the time per token stays. */
export const SERIES = ['scheduling', 'dispatch to 64 workers'] as const;

const TOKENS = [10, 100, 1_000, 10_000];
const EXPERTS = [8, 32, 128, 256];
const WORKERS = [1, 8, 64, 512];
/** Of the cases where experts and workers vary. */
const STEP_TOKENS = 256;

export const CASES: readonly ScaleCase[] = [
  ...TOKENS.map((tokens) => ({ name: SERIES[0], tokens, measure: () => measureScheduling(tokens) })),
  ...TOKENS.map((tokens) => ({ name: SERIES[1], tokens, measure: () => measureDispatch({ tokens, experts: 128, workers: 64 }) })),
  ...EXPERTS.map((experts) => ({ name: `routing to ${experts} experts`, tokens: STEP_TOKENS, measure: () => measureRouting({ tokens: STEP_TOKENS, experts }) })),
  ...EXPERTS.flatMap((experts) => WORKERS.map((workers) => ({ name: `dispatch, ${experts} experts on ${workers} worker${workers === 1 ? '' : 's'}`, tokens: STEP_TOKENS, measure: () => measureDispatch({ tokens: STEP_TOKENS, experts, workers }) }))),
];
