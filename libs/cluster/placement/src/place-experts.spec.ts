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

it('gives unequal workers their share by room, rounded to a neighbouring whole number', () => {
  fc.assert(fc.property(anyRequests, (request) => {
    const result = placeExperts(request);
    if (result.kind === 'refused') return;
    const all = request.layerCount * request.expertCount;
    const capacities = request.workers.map(({ room }) => Math.min(all, room));
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
      const newcomer = { id: workerId('w9'), room: request.workers[0]!.room, domain: null };
      const grown = { ...request, workers: [...request.workers, newcomer], previous: before };
      const after = placed(placeExperts, grown);
      expect(loaded(before, after)).toBe(countsOf({ ...grown, workers: [newcomer] }, after)[0]);
    }));
  });
});

it('says by how much the room falls short', () => {
  const refused = (rooms: readonly number[], replicas = 1) => placeExperts({ workers: workersOf(rooms), layerCount: 2, expertCount: 4, replicas, previous: null });
  expect(refused([3, 3])).toEqual({ kind: 'refused', reason: '1 copy of 2 x 4 experts makes 8, and the 2 live workers have room for 6 beside all else that they hold', missing: 2 });
  expect(refused([9, 3], 2)).toEqual({ kind: 'refused', reason: '2 copies of 2 x 4 experts make 16, and the 2 live workers have room for 11 beside all else that they hold', missing: 5 });
  expect(refused([7])).toMatchObject({ reason: expect.stringContaining('and the only live worker has room for 7 beside all else that it holds') as string, missing: 1 });
});

it('lets copies of a lost worker spread over all others instead of one neighbour', () => {
  const request: PlacementRequest = { workers: workersOf([99, 99, 99, 99]), layerCount: 1, expertCount: 12, replicas: 2, previous: null };
  const partners = new Set(placed(placeExperts, request)[0]!.filter((holders) => holders.includes(workerId('w1'))).flat());
  expect(partners.size).toBeGreaterThan(2);
});
