import { type ExpertBatch } from '../src/index.ts';

/** A batch whose rows go to the experts that are named, with values that differ by row and by `seed`. */
export function batchOf(expertsOfRows: readonly (readonly number[])[], { layer = 0, hiddenSize = 2, reduce = true, seed = 0 } = {}): ExpertBatch {
  const experts = Uint32Array.from(expertsOfRows.flat());
  let pairs = 0;
  return {
    step: 1, layer, attempt: 0, epoch: 1, hiddenSize, reduce, experts,
    activations: Float32Array.from({ length: expertsOfRows.length * hiddenSize }, (_, index) => Math.sin(1 + index + 100 * seed)),
    rowOffsets: Uint32Array.of(0, ...expertsOfRows.map((ofRow) => (pairs += ofRow.length))),
    gates: Float32Array.from(experts, (_expert, pair) => 1 / (2 + pair)),
  };
}
