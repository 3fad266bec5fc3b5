import { type ExpertAnswer } from './combine.ts';
import { type AddedRows } from './device-rows.ts';
import { type ExpertCall } from './expert-call.ts';

/** The experts of a call to this process, ascending. */
export function expertsOf({ experts, gates, rows, rowOffsets }: ExpertCall): Extract<AddedRows, { kind: 'expert' }>[] {
  const places = new Map<number, { rows: number[]; gates: number[] }>();
  for (let nth = 0; nth < rows.length; nth++) {
    for (let pair = rowOffsets[nth]!; pair < rowOffsets[nth + 1]!; pair++) {
      const place = places.get(experts[pair]!) ?? { rows: [], gates: [] };
      place.rows.push(rows[nth]!);
      place.gates.push(gates[pair]!);
      places.set(experts[pair]!, place);
    }
  }
  return [...places].sort(([a], [b]) => a - b).map(([expert, place]) => ({ kind: 'expert', expert, rows: Uint32Array.from(place.rows), gates: Float32Array.from(place.gates) }));
}

/** One row per token and worker, in ascending order of the workers' ids. */
export const sumsOf = (answers: readonly ExpertAnswer[]): AddedRows[] =>
  [...answers].sort((a, b) => (a.call.worker < b.call.worker ? -1 : Number(a.call.worker > b.call.worker)) || a.call.pairs[0]! - b.call.pairs[0]!)
    .map(({ call, result }) => ({ kind: 'values', rows: call.rows, values: result }));

/** One row per pair, in ascending order of the experts, wherever each ran. */
export function pairsOf(own: readonly ExpertCall[], answers: readonly ExpertAnswer[], hiddenSize: number): AddedRows[] {
  const parts: { readonly expert: number; readonly part: AddedRows }[] = own.flatMap(expertsOf).map((part) => ({ expert: part.expert, part }));
  for (const { call, result } of answers) {
    const row = (pair: number): Float32Array => result.subarray(pair * hiddenSize, (pair + 1) * hiddenSize);
    for (let nth = 0; nth < call.rows.length; nth++) {
      for (let pair = call.rowOffsets[nth]!; pair < call.rowOffsets[nth + 1]!; pair++) {
        parts.push({ expert: call.experts[pair]!, part: { kind: 'values', rows: call.rows.subarray(nth, nth + 1), values: row(pair) } });
      }
    }
  }
  return joined(parts.sort((a, b) => a.expert - b.expert).map(({ part }) => part), hiddenSize);
}

/** Neighbours that were computed elsewhere as one: no row has two of the same expert, so those of one expert can be added at once. */
function joined(parts: readonly AddedRows[], hiddenSize: number): AddedRows[] {
  const result: AddedRows[] = [];
  let waiting: Extract<AddedRows, { kind: 'values' }>[] = [];
  const flush = (): void => {
    if (waiting.length === 0) return;
    const values = new Float32Array(waiting.length * hiddenSize);
    waiting.forEach((part, nth) => values.set(part.values, nth * hiddenSize));
    result.push({ kind: 'values', rows: Uint32Array.from(waiting, ({ rows }) => rows[0]!), values });
    waiting = [];
  };
  for (const part of parts) {
    if (part.kind === 'expert' || waiting.some(({ rows }) => rows[0] === part.rows[0])) flush();
    if (part.kind === 'expert') result.push(part);
    else waiting.push(part);
  }
  flush();
  return result;
}
