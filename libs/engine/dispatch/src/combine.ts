import { type DispatchWork, type ExpertCall, rowCount, rowOf } from './expert-call.ts';
import { addRow, type MatrixRow } from './rows.ts';

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
export function sumPairs({ hiddenSize, activations, routing }: DispatchWork, answers: readonly ExpertAnswer[]): Float32Array {
  const output = new Float32Array(activations.length);
  const rowsOfPairs = new Array<MatrixRow | null>(routing.experts.length).fill(null);
  for (const { call, result } of answers) call.pairs.forEach((pair, row) => (rowsOfPairs[pair] = { values: result, width: hiddenSize, row }));
  rowsOfPairs.forEach((row, pair) => {
    if (row !== null) addRow(output, rowOf(pair, routing), row);
  });
  return output;
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
    call.rows.forEach((place, row) => addRow(output, place, { values: result, width: work.hiddenSize, row }));
  }
  return output;
}

/** A worker may answer twice, for pairs that failed elsewhere: the calls share no pair, so the first one tells them apart. */
function inFixedOrder(a: ExpertAnswer, b: ExpertAnswer): number {
  if (a.call.worker !== b.call.worker) return a.call.worker < b.call.worker ? -1 : 1;
  return a.call.pairs[0]! - b.call.pairs[0]!;
}
