import { type DispatchWork, type ExpertCall, rowCount, rowOf } from './expert-call.ts';
import { copyRow, scatterAdd } from './rows.ts';

/** What a worker returned for a call. */
export interface ExpertAnswer {
  readonly call: ExpertCall;
  /** [call.rows, hiddenSize] for `sumAnswers`, [call.pairs, hiddenSize] for `sumPairs`. */
  readonly result: Float32Array;
}

/**
 * [rows, hiddenSize] from one weighted row per pair, summed in ascending expert order: the same bits wherever each expert ran.
 * Rows with a pair that nobody answered are incomplete.
 */
export function sumPairs(work: DispatchWork, answers: readonly ExpertAnswer[]): Float32Array {
  const { hiddenSize, activations, routing } = work;
  const output = new Float32Array(activations.length);
  const places = routing.experts.map((_expert, pair) => rowOf(pair, routing));
  scatterAdd(output, { values: rowsOfPairs(work, answers), width: hiddenSize, places });
  return output;
}

/** [pairs, hiddenSize], zeros where nobody answered. */
function rowsOfPairs({ hiddenSize, routing: { experts } }: DispatchWork, answers: readonly ExpertAnswer[]): Float32Array {
  const [only] = answers;
  if (only?.call.pairs.length === experts.length) return only.result;
  const all = new Float32Array(experts.length * hiddenSize);
  for (const { call: { pairs }, result } of answers) pairs.forEach((pair, nth) => copyRow(all, pair, { values: result, width: hiddenSize, row: nth }));
  return all;
}

/**
 * [rows, hiddenSize] from one partial sum per row and call, summed in ascending order of the workers' ids, whichever answered first.
 * Rows with a call that nobody answered are incomplete.
 */
export function sumAnswers(work: DispatchWork, answers: readonly ExpertAnswer[]): Float32Array {
  const [only] = answers;
  if (answers.length === 1 && only!.call.rows.length === rowCount(work)) return only!.result;
  const output = new Float32Array(work.activations.length);
  for (const { call, result } of [...answers].sort(inFixedOrder)) {
    scatterAdd(output, { values: result, width: work.hiddenSize, places: call.rows });
  }
  return output;
}

/** A worker may answer twice, for pairs that failed elsewhere: the calls share no pair, so the first one tells them apart. */
function inFixedOrder(a: ExpertAnswer, b: ExpertAnswer): number {
  if (a.call.worker !== b.call.worker) return a.call.worker < b.call.worker ? -1 : 1;
  return a.call.pairs[0]! - b.call.pairs[0]!;
}
