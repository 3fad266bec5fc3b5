import fc from 'fast-check';
import { ready } from './toy-cluster.ts';
import { toyWork } from './toy-work.ts';

export const anyWork = fc.record({
  rows: fc.integer({ min: 0, max: 12 }), hiddenSize: fc.integer({ min: 1, max: 9 }), expertCount: fc.constant(8),
  expertsPerToken: fc.integer({ min: 1, max: 8 }), seed: fc.integer({ min: 0, max: 1000 }),
}).map(toyWork);

/** Each expert on some of five workers, at least one. */
export const anyPlacement = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }), { minLength: 8, maxLength: 8 })
  .map((experts) => [experts.map((nths) => ready(...nths))]);
