import { PLAIN_ROUTER } from '@essaim/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { route } from './routing.ts';

const shapes = fc.integer({ min: 1, max: 32 }).chain((expertCount) =>
  fc.record({ expertCount: fc.constant(expertCount), expertsPerToken: fc.integer({ min: 1, max: expertCount }), rows: fc.integer({ min: 0, max: 5 }) }));

/** The definition in float64, without any rounding: Jiang et al., "Mixtral of Experts", section 2.1. */
function referenceRow(logits: readonly number[], expertsPerToken: number): { expert: number; gate: number }[] {
  const best = logits.map((logit, expert) => ({ logit, expert })).sort((a, b) => b.logit - a.logit || a.expert - b.expert).slice(0, expertsPerToken);
  const weights = best.map(({ logit, expert }) => ({ expert, weight: Math.exp(logit - best[0]!.logit) }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  return weights.map(({ expert, weight }) => ({ expert, gate: weight / sum })).sort((a, b) => a.expert - b.expert);
}

describe('route', () => {
  it('chooses and weighs as the definition does, within float32', () => {
    // Logits on a grid: equal, or far enough apart for float32 probabilities to differ.
    const rowsOf = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.array(fc.integer({ min: -64, max: 64 }), { minLength: shape.rows * shape.expertCount, maxLength: shape.rows * shape.expertCount })));
    fc.assert(fc.property(rowsOf, ([{ expertCount, expertsPerToken, rows }, steps]) => {
      const logits = steps.map((step) => step / 8);
      const { experts, gates } = route(Float32Array.from(logits), { expertCount, expertsPerToken, router: PLAIN_ROUTER });
      expect(experts).toHaveLength(rows * expertsPerToken);
      for (let row = 0; row < rows; row++) {
        referenceRow(logits.slice(row * expertCount, (row + 1) * expertCount), expertsPerToken).forEach(({ expert, gate }, nth) => {
          expect(experts[row * expertsPerToken + nth]).toBe(expert);
          expect(Math.abs(gates[row * expertsPerToken + nth]! - gate)).toBeLessThan(1e-6);
        });
      }
    }));
  });

  it('takes the lower id among equals', () => {
    expect(Array.from(route(new Float32Array(8), { expertCount: 8, expertsPerToken: 2, router: PLAIN_ROUTER }).experts)).toEqual([0, 1]);
    expect(Array.from(route(Float32Array.of(0, 1, 2, 1), { expertCount: 4, expertsPerToken: 2, router: PLAIN_ROUTER }).experts)).toEqual([1, 2]);
  });

  it('keeps a NaN in its row, with experts that exist', () => {
    const clean = route(Float32Array.of(1, 2, 3, 4, 4, 3, 2, 1), { expertCount: 4, expertsPerToken: 2, router: PLAIN_ROUTER });
    const mixed = route(Float32Array.of(1, NaN, 3, 4, 4, 3, 2, 1), { expertCount: 4, expertsPerToken: 2, router: PLAIN_ROUTER });
    expect(Array.from(mixed.experts.subarray(0, 2))).toEqual([0, 1]);
    expect(mixed.gates.subarray(0, 2).every(Number.isNaN)).toBe(true);
    expect([mixed.experts.subarray(2), mixed.gates.subarray(2)]).toEqual([clean.experts.subarray(2), clean.gates.subarray(2)]);
  });

  it('routes a row the same whatever rows are beside it', () => {
    const rows = [[0.3, -1, 2.5], [7, 7, 7], [-3, 0, 3]];
    const together = route(Float32Array.from(rows.flat()), { expertCount: 3, expertsPerToken: 2, router: PLAIN_ROUTER });
    rows.forEach((row, nth) => {
      const alone = route(Float32Array.from(row), { expertCount: 3, expertsPerToken: 2, router: PLAIN_ROUTER });
      expect(together.gates.slice(2 * nth, 2 * nth + 2)).toEqual(alone.gates);
    });
  });

  it('refuses logits that are not whole rows', () => {
    expect(() => route(new Float32Array(7), { expertCount: 4, expertsPerToken: 2, router: PLAIN_ROUTER })).toThrow('assertion failed');
  });
});
