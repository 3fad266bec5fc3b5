import { type ExpertCall, rowOf } from './expert-call.ts';
import { orderByKey } from './order-by-key.ts';
import { type ReplicaChoice } from './replica-choice.ts';
import { type Routing } from './routing.ts';

export interface CallPlan {
  /** One per worker, the lead's own last. */
  readonly calls: readonly ExpertCall[];
  /** Pairs whose expert nobody can be called for, ascending. */
  readonly stranded: Uint32Array;
}

/** Groups `pairs` (ascending) of a routing by the worker that is to run them. The calls are views of arrays that they share: many workers cost few allocations. */
export function planCalls(pairs: Uint32Array, routing: Routing, choice: ReplicaChoice): CallPlan {
  const { starts, order } = orderByKey(choice.choose(pairs, routing), choice.workers.length + 1);
  const shared = {
    pairs: order.map((nth) => pairs[nth]!),
    experts: order.map((nth) => routing.experts[pairs[nth]!]!),
    gates: new Float32Array(order.length),
    rows: new Uint32Array(order.length),
    rowOffsets: new Uint32Array(order.length + choice.workers.length),
  };
  for (let nth = 0; nth < order.length; nth++) shared.gates[nth] = routing.gates[shared.pairs[nth]!]!;
  const calls: ExpertCall[] = [];
  choice.workers.forEach((worker, key) => {
    const [first, end] = [starts[key]!, starts[key + 1]!];
    if (first === end) return;
    const view = {
      pairs: shared.pairs.subarray(first, end), experts: shared.experts.subarray(first, end), gates: shared.gates.subarray(first, end),
      rows: shared.rows.subarray(first, end), rowOffsets: shared.rowOffsets.subarray(first + key, end + key + 1),
    };
    const rows = findRows(view, routing);
    calls.push({ ...view, worker, rows: view.rows.subarray(0, rows), rowOffsets: view.rowOffsets.subarray(0, rows + 1) });
  });
  return { calls, stranded: shared.pairs.subarray(starts[choice.nobody]) };
}

/** Fills in the rows of the pairs, each once, and where the pairs of each row end; returns how many rows there are. */
function findRows({ pairs, rows, rowOffsets }: Pick<ExpertCall, 'pairs' | 'rows' | 'rowOffsets'>, routing: Routing): number {
  let count = 0;
  for (let nth = 0; nth < pairs.length; nth++) {
    const row = rowOf(pairs[nth]!, routing);
    if (count === 0 || rows[count - 1] !== row) rows[count++] = row;
    rowOffsets[count] = nth + 1;
  }
  return count;
}
