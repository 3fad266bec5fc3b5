import { type WorkerId } from '@essaim/core';
import { type ExpertCall, rowOf, toExpertCall } from './expert-call.ts';
import { type ReplicaChoice } from './replica-choice.ts';
import { type Routing } from './routing.ts';

export interface CallPlan {
  /** One per worker. */
  readonly calls: readonly ExpertCall[];
  /** Pairs whose expert nobody can be called for. */
  readonly stranded: readonly number[];
}

/** Groups `pairs` (ascending) of a routing by the worker that is to run them. */
export function planCalls(pairs: readonly number[], routing: Routing, choice: ReplicaChoice): CallPlan {
  const byWorker = new Map<WorkerId | null, number[]>();
  for (let first = 0; first < pairs.length; ) {
    const ofRow = pairsOfRow(pairs, first, routing);
    const workers = choice.choose(ofRow.map((pair) => routing.experts[pair]!));
    workers.forEach((worker, nth) => {
      const assigned = byWorker.get(worker);
      if (assigned === undefined) byWorker.set(worker, [ofRow[nth]!]);
      else assigned.push(ofRow[nth]!);
    });
    first += ofRow.length;
  }
  const stranded = byWorker.get(null) ?? [];
  byWorker.delete(null);
  return { calls: Array.from(byWorker, ([worker, assigned]) => toExpertCall(worker!, assigned, routing)), stranded };
}

/** The pairs from `first` on that belong to its row. */
function pairsOfRow(pairs: readonly number[], first: number, routing: Routing): readonly number[] {
  const row = rowOf(pairs[first]!, routing);
  let end = first + 1;
  while (end < pairs.length && rowOf(pairs[end]!, routing) === row) end++;
  return pairs.slice(first, end);
}
