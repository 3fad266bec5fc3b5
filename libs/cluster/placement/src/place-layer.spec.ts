import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyIslands, placed, workersOf } from '../test/policy-suite.ts';
import { placeExperts, type PlacementRequest } from './index.ts';

const islands = (domains: readonly (string | null)[], replicas: number): PlacementRequest => ({
  workers: workersOf(domains.map(() => 99)).map((worker, index) => ({ ...worker, domain: domains[index]! })),
  layerCount: 3, expertCount: 12, replicas, previous: null,
});

/** Of each expert of each layer, in which domains its copies are. */
function domainsOf(request: PlacementRequest): string[][] {
  const domain = new Map(request.workers.map((worker) => [worker.id, worker.domain ?? worker.id]));
  return placed(placeExperts, request).flat().map((holders) => holders.map((holder) => domain.get(holder)!).sort());
}

describe('copies of an expert', () => {
  it('lie in both domains of equal size where there are two copies, so that every lead has all experts in its own', () => {
    for (const domains of domainsOf(islands(['a', 'b', 'a', 'b', 'b', 'a'], 2))) expect(domains).toEqual(['a', 'b']);
  });

  it('lie twice in each where there are four', () => {
    for (const domains of domainsOf(islands(['a', 'b', 'a', 'b'], 4))) expect(domains).toEqual(['a', 'a', 'b', 'b']);
  });

  it('lie in a domain and beside it where workers by themselves hold as much', () => {
    for (const domains of domainsOf(islands(['a', 'a', null, null], 2))) expect(domains.filter((domain) => domain === 'a')).toHaveLength(1);
  });

  it('are one more of some experts than of others in a domain, never two', () => {
    fc.assert(fc.property(anyIslands, (request) => {
      const result = placeExperts(request);
      if (result.kind === 'refused') return;
      for (const layer of result.assignment) {
        for (const domain of new Set(request.workers.map((worker) => worker.domain).filter((name) => name !== null))) {
          const members = new Set(request.workers.filter((worker) => worker.domain === domain).map(({ id }) => id));
          const counts = layer.map((holders) => holders.filter((holder) => members.has(holder)).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }
    }));
  });
});
