import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerId } from '@essaim/core';
import { anyRequests, countsOf, placed, placementPolicySuite, roomyRequests, workersOf } from '../test/policy-suite.ts';
import { type Assignment, placeExperts, type PlacementRequest } from './index.ts';

placementPolicySuite('placeExperts', placeExperts);

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

/** Copies of `after` that must be loaded. */
const loaded = (before: Assignment, after: Assignment): number =>
  after.flatMap((experts, layer) => experts.flatMap((holders, expert) => holders.filter((holder) => !before[layer]![expert]!.includes(holder)))).length;

it('spreads every layer over equal workers as evenly as whole experts allow, and all layers together too', () => {
  fc.assert(fc.property(roomyRequests, (request) => {
    const assignment = placed(placeExperts, request);
    expect(spread(countsOf(request, assignment))).toBeLessThanOrEqual(1);
    for (const layer of assignment) expect(spread(countsOf(request, [layer]))).toBeLessThanOrEqual(1);
  }));
});

it('gives unequal workers their share of memory, rounded to a neighbouring whole number', () => {
  fc.assert(fc.property(anyRequests, (request) => {
    const result = placeExperts(request);
    if (result.kind === 'refused') return;
    const all = request.layerCount * request.expertCount;
    const capacities = request.workers.map(({ memoryBytes }) => Math.min(all, Math.floor(memoryBytes / request.bytesPerExpert)));
    const counts = countsOf(request, result.assignment);
    const slots = counts.reduce((sum, count) => sum + count, 0);
    const whole = capacities.reduce((sum, capacity) => sum + capacity, 0);
    counts.forEach((count, worker) => expect(Math.abs(count - (slots * capacities[worker]!) / whole)).toBeLessThan(1));
  }));
});

describe('when the workers change', () => {
  // Rounding may cost one move in a layer: whose share is rounded up is chosen before the layers are looked at.
  it('moves at most one copy a layer between the workers that stay when one is lost', () => {
    fc.assert(fc.property(roomyRequests, fc.nat(), (request, choice) => {
      fc.pre(request.workers.length > request.replicas);
      const before = placed(placeExperts, request);
      const lost = request.workers[choice % request.workers.length]!;
      const workers = request.workers.filter((worker) => worker !== lost);
      const after = placed(placeExperts, { ...request, workers, previous: before });
      expect(loaded(before, after) - countsOf({ ...request, workers: [lost] }, before)[0]!).toBeLessThanOrEqual(request.layerCount);
    }));
  });

  it('loads on a new worker what is its share, and nothing elsewhere', () => {
    fc.assert(fc.property(roomyRequests, (request) => {
      fc.pre(request.workers.length >= request.replicas);
      const before = placed(placeExperts, request);
      const newcomer = { id: workerId('w9'), memoryBytes: request.workers[0]!.memoryBytes, domain: null };
      const grown = { ...request, workers: [...request.workers, newcomer], previous: before };
      const after = placed(placeExperts, grown);
      expect(loaded(before, after)).toBe(countsOf({ ...grown, workers: [newcomer] }, after)[0]);
    }));
  });
});

it('says by how much the memory falls short', () => {
  const result = placeExperts({ workers: workersOf([3, 3]), layerCount: 2, expertCount: 4, bytesPerExpert: 1e9, replicas: 1, previous: null });
  expect(result).toEqual({ kind: 'refused', reason: expect.stringMatching(/^1 copy of 2 x 4 experts need 8\.0 GB, and the 2 live workers are short of 8\.0 GB: add workers/) as string });
});

it('lets copies of a lost worker spread over all others instead of one neighbour', () => {
  const request: PlacementRequest = { workers: workersOf([99, 99, 99, 99]), layerCount: 1, expertCount: 12, bytesPerExpert: 100, replicas: 2, previous: null };
  const partners = new Set(placed(placeExperts, request)[0]!.filter((holders) => holders.includes(workerId('w1'))).flat());
  expect(partners.size).toBeGreaterThan(2);
});
