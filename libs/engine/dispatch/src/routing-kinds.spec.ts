import { PLAIN_ROUTER, type Router } from '@essaim/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { route, type RouterShape } from './routing.ts';

interface Case {
  readonly shape: RouterShape;
  readonly logits: readonly number[];
  readonly bias: readonly number[] | null;
}

/** Of any kind; logits and biases on grids, so that what is compared is equal, or far enough apart for float32. */
const cases = fc.record({ groupCount: fc.integer({ min: 1, max: 5 }), size: fc.integer({ min: 1, max: 6 }), kind: fc.constantFrom('softmax' as const, 'sigmoid' as const), renormalised: fc.boolean(), isBiased: fc.boolean() })
  .chain(({ groupCount, size, isBiased, ...router }) => fc.integer({ min: 1, max: groupCount }).chain((groupsPerToken) => fc.record({
    shape: fc.record({
      expertCount: fc.constant(groupCount * size), expertsPerToken: fc.integer({ min: 1, max: groupsPerToken * size }),
      router: fc.constantFrom(1, 2.5).map((scale): Router => ({ ...router, groupCount, groupsPerToken, scale, correctionBias: isBiased })),
    }),
    logits: fc.array(fc.integer({ min: -40, max: 40 }).map((step) => step / 8), { minLength: groupCount * size, maxLength: groupCount * size }),
    bias: isBiased ? fc.array(fc.integer({ min: -32, max: 32 }).map((step) => step / 16), { minLength: groupCount * size, maxLength: groupCount * size }) : fc.constant(null),
  })));

const run = ({ shape, logits, bias }: Case) => route(Float32Array.from(logits), shape, bias === null ? null : Float32Array.from(bias));

/** The definition in float64, DeepSeek-V3, arXiv:2412.19437, section 2.1.2, with scores of either kind; null where a choice is nearer to a tie than float32 tells apart. */
function reference({ shape: { expertCount, expertsPerToken, router }, logits, bias }: Case): { readonly experts: number[]; readonly gates: number[] } | null {
  const exponentials = logits.map((logit) => Math.exp(logit));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  const scores = exponentials.map((value) => (router.kind === 'softmax' ? value / sum : value / (1 + value)));
  const ranks = scores.map((score, expert) => score + (bias?.[expert] ?? 0));
  const size = expertCount / router.groupCount;
  const groups = Array.from({ length: router.groupCount }, (_, group) => group);
  const groupRanks = groups.map((group) => ranks.slice(group * size, (group + 1) * size).sort((a, b) => b - a).slice(0, 2).reduce((total, rank) => total + rank, 0));
  const keptGroups = best(groups, groupRanks, router.groupsPerToken);
  const candidates = ranks.map((_, expert) => expert).filter((expert) => keptGroups?.includes(Math.floor(expert / size)));
  const chosen = keptGroups && best(candidates, ranks, expertsPerToken);
  if (chosen === null) return null;
  const experts = chosen.sort((a, b) => a - b);
  const divisor = router.renormalised ? experts.reduce((total, expert) => total + scores[expert]!, 0) : 1;
  return { experts, gates: experts.map((expert) => (router.scale * scores[expert]!) / divisor) };
}

function best(of: readonly number[], ranks: readonly number[], count: number): number[] | null {
  const ordered = of.toSorted((a, b) => ranks[b]! - ranks[a]! || a - b);
  const [last, next] = [ranks[ordered[count - 1]!]!, ranks[ordered[count]!] ?? -Infinity];
  return last - next < 1e-6 ? null : ordered.slice(0, count);
}

describe('a router of any kind', () => {
  it('chooses and weighs as the definition does, within float32', () => {
    fc.assert(fc.property(cases, (each) => {
      const expected = reference(each);
      fc.pre(expected !== null);
      const { experts, gates } = run(each);
      expect([...experts]).toEqual(expected.experts);
      expected.gates.forEach((gate, nth) => expect(Math.abs(gates[nth]! - gate)).toBeLessThan(2e-6 * Math.max(1, gate)));
    }));
  });

  it('chooses experts once each, and from no more groups than a token may use', () => {
    fc.assert(fc.property(cases, (each) => {
      const { expertCount, router: { groupCount, groupsPerToken } } = each.shape;
      const experts = [...run(each).experts];
      expect(experts).toEqual([...new Set(experts)].sort((a, b) => a - b));
      expect(new Set(experts.map((expert) => Math.floor(expert / (expertCount / groupCount)))).size).toBeLessThanOrEqual(groupsPerToken);
    }));
  });

  it('keeps a NaN in its row, with experts that exist', () => {
    fc.assert(fc.property(cases, fc.nat(), (each, place) => {
      const { expertCount, expertsPerToken } = each.shape;
      const sick = [...each.logits.with(place % expertCount, NaN), ...each.logits];
      const { experts, gates } = run({ ...each, logits: sick });
      expect(new Set(experts.subarray(0, expertsPerToken)).size).toBe(expertsPerToken);
      expect(experts.every((expert) => expert < expertCount)).toBe(true);
      expect(gates.subarray(0, expertsPerToken).every(Number.isNaN)).toBe(true);
      expect(gates.subarray(expertsPerToken)).toEqual(run(each).gates);
    }));
  });

  it('has groups with as many experts as a token takes', () => {
    expect(() => route(new Float32Array(4), { expertCount: 4, expertsPerToken: 3, router: { ...PLAIN_ROUTER, groupCount: 2, groupsPerToken: 1 } })).toThrow('assertion failed');
  });
});

describe('a correction bias', () => {
  const shape = { expertCount: 4, expertsPerToken: 1, router: { ...PLAIN_ROUTER, kind: 'sigmoid', correctionBias: true, renormalised: false } } as const;

  it('moves the choice and not the gates', () => {
    const logits = Float32Array.of(0, 2, 1, 0);
    const { experts, gates } = route(logits, shape, Float32Array.of(0, 0, 0, 1));
    expect([...experts]).toEqual([3]);
    expect([...gates]).toEqual([0.5]);
    expect([...route(logits, shape, new Float32Array(4)).experts]).toEqual([1]);
  });

  it('that makes a chosen group negative lets nobody in from a group that was dropped', () => {
    const grouped = { ...shape, router: { ...shape.router, groupCount: 2, groupsPerToken: 1 } };
    expect([...route(Float32Array.of(0, 0, 0, 0), grouped, Float32Array.of(-2, -2, -1.5, -3)).experts]).toEqual([0]);
  });

  it('is there where the router has one, as long as it has experts, and nowhere else', () => {
    expect(() => route(new Float32Array(4), shape)).toThrow('assertion failed');
    expect(() => route(new Float32Array(4), shape, new Float32Array(3))).toThrow('assertion failed');
    expect(() => route(new Float32Array(4), { ...shape, router: PLAIN_ROUTER }, new Float32Array(4))).toThrow('assertion failed');
  });
});
