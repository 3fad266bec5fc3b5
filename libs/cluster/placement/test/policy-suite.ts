import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerId } from '@essaim/core';
import { type Assignment, type PlacementPolicy, type PlacementRequest } from '../src/index.ts';

/** Clusters with room: each worker could hold every expert it may be given. */
export const roomyRequests: fc.Arbitrary<PlacementRequest> = fc
  .record({ workerCount: fc.integer({ min: 1, max: 6 }), layerCount: fc.integer({ min: 1, max: 4 }), expertCount: fc.integer({ min: 1, max: 9 }), replicas: fc.integer({ min: 1, max: 4 }) })
  .map(({ workerCount, ...shape }) => ({ ...shape, workers: workersOf(Array.from({ length: workerCount }, () => shape.layerCount * shape.expertCount)), previous: null }));

/** Unequal workers, often too small for the model. */
export const anyRequests: fc.Arbitrary<PlacementRequest> = fc
  .record({ rooms: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 6 }), layerCount: fc.integer({ min: 1, max: 4 }), expertCount: fc.integer({ min: 1, max: 9 }), replicas: fc.integer({ min: 1, max: 3 }) })
  .map(({ rooms, ...shape }) => ({ ...shape, workers: workersOf(rooms), previous: null }));

/** The same, on up to three islands of fast links; some workers on none. */
export const anyIslands: fc.Arbitrary<PlacementRequest> = fc.tuple(anyRequests, fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 6, maxLength: 6 }))
  .map(([request, domains]) => ({ ...request, workers: request.workers.map((worker, index) => ({ ...worker, domain: domains[index]! })) }));

export const workersOf = (rooms: readonly number[]): PlacementRequest['workers'] =>
  rooms.map((room, index) => ({ id: workerId(`w${index + 1}`), room, domain: null }));

export function placed(policy: PlacementPolicy, request: PlacementRequest): Assignment {
  const result = policy(request);
  expect(result.kind === 'refused' ? result.reason : null).toBeNull();
  return result.kind === 'placed' ? result.assignment : [];
}

/** Copies that each worker holds, in one layer or in all. */
export const countsOf = ({ workers }: PlacementRequest, layers: Assignment): number[] =>
  workers.map(({ id }) => layers.flat().filter((holders) => holders.includes(id)).length);

/** What every placement policy must keep. */
export function placementPolicySuite(name: string, policy: PlacementPolicy): void {
  describe(`${name} as a placement policy`, () => {
    it('gives every expert of every layer its copies, on different live workers', () => {
      fc.assert(fc.property(roomyRequests, (request) => {
        const assignment = placed(policy, request);
        expect(assignment.map((experts) => experts.length)).toEqual(Array.from({ length: request.layerCount }, () => request.expertCount));
        const live = new Set(request.workers.map(({ id }) => id));
        for (const holders of assignment.flat()) {
          expect(new Set(holders).size).toBe(holders.length);
          expect(holders.length).toBeGreaterThanOrEqual(Math.min(request.replicas, request.workers.length));
          expect(holders.every((holder) => live.has(holder))).toBe(true);
        }
      }));
    });

    it('never gives a worker more than it has room for, and says what is missing where that does not suffice', () => {
      fc.assert(fc.property(fc.oneof(anyRequests, anyIslands), (request) => {
        const result = policy(request);
        if (result.kind === 'refused') {
          const [copies, room] = [request.layerCount * request.expertCount, request.workers.reduce((sum, worker) => sum + Math.min(request.layerCount * request.expertCount, worker.room), 0)];
          expect(result.missing).toBe(copies * Math.min(request.replicas, request.workers.length) - room);
        }
        else countsOf(request, result.assignment).forEach((count, worker) => expect(count).toBeLessThanOrEqual(request.workers[worker]!.room));
      }));
    });

    it('says so when there are fewer workers than copies asked for, and only then', () => {
      fc.assert(fc.property(roomyRequests, (request) => {
        const result = policy(request);
        expect(result.kind === 'placed' && result.degraded !== null).toBe(request.workers.length < request.replicas);
      }));
    });

    it('gives the same result for the same request, whatever the order of its workers', () => {
      fc.assert(fc.property(fc.oneof(anyRequests, anyIslands), (request) => {
        expect(policy({ ...request, workers: request.workers.toReversed() })).toEqual(policy(request));
      }));
    });

    it('moves nothing when nothing changed', () => {
      fc.assert(fc.property(fc.oneof(anyRequests, anyIslands), (request) => {
        const result = policy(request);
        if (result.kind === 'placed') expect(policy({ ...request, previous: result.assignment })).toEqual(result);
      }));
    });

    it('places nothing for a dense model', () => {
      expect(policy({ workers: workersOf([9]), layerCount: 0, expertCount: 0, replicas: 2, previous: null })).toMatchObject({ kind: 'placed', assignment: [] });
    });

    it('refuses where nobody hosts experts', () => {
      expect(policy({ workers: [], layerCount: 1, expertCount: 2, replicas: 1, previous: null })).toMatchObject({ kind: 'refused' });
    });
  });
}
