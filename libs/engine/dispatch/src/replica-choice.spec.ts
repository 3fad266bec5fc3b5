import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Replica, type WorkerId } from '@essaim/core';
import { ready, worker } from '../test/toy-cluster.ts';
import { ReplicaChoice } from './replica-choice.ts';

interface Choice {
  /** For one row that goes to these experts. */
  choose(experts: readonly number[]): (WorkerId | null)[];
}

function choiceOf(replicas: readonly (readonly Replica[])[], options: { self?: WorkerId; near?: WorkerId[]; layer?: number; excluded?: WorkerId[]; suspects?: WorkerId[] } = {}): Choice {
  const choice = new ReplicaChoice({
    layer: options.layer ?? 0, replicas, self: options.self ?? worker(0), near: new Set(options.near),
    excluded: new Set(options.excluded), isSuspect: (id) => options.suspects?.includes(id) ?? false,
  });
  return {
    choose: (experts) => {
      const routing = { experts: Uint32Array.from(experts), gates: new Float32Array(experts.length), expertsPerToken: experts.length };
      return Array.from(choice.choose(Uint32Array.from(experts.keys()), routing), (index) => choice.workers[index] ?? null);
    },
  };
}

describe('ReplicaChoice', () => {
  // Where nothing else decides, the hash does, and differently in each layer: sixteen of them leave nothing to luck.
  const layers = Array.from({ length: 16 }, (_, layer) => layer);

  it('prefers the lead itself', () => {
    for (const layer of layers) expect(choiceOf([ready(3, 0, 1), ready(1, 2)], { layer }).choose([0])).toEqual([worker(0)]);
  });

  it('prefers workers that fast links join to the lead, but for what none of them has, and where they failed', () => {
    const near = [worker(0), worker(1)];
    for (const layer of layers) {
      expect(choiceOf([ready(1, 2), ready(2, 3), ready(1, 3)], { layer, near }).choose([0, 1, 2])).toEqual([worker(1), expect.stringMatching(/worker-[23]/), worker(1)]);
      expect(choiceOf([ready(1, 2)], { layer, near, suspects: [worker(1)] }).choose([0])).toEqual([worker(2)]);
      expect(choiceOf([ready(1, 2)], { layer, near, excluded: [worker(1)] }).choose([0])).toEqual([worker(2)]);
    }
  });

  it('sends a row to one worker where one holds all of its experts', () => {
    for (const layer of layers) expect(choiceOf([ready(1, 2), ready(3, 2), ready(2, 4)], { layer }).choose([0, 1, 2])).toEqual([worker(2), worker(2), worker(2)]);
  });

  it('uses a worker that an expert needs anyway for the others too', () => {
    for (const layer of layers) expect(choiceOf([ready(1, 2, 3), ready(3)], { layer }).choose([0, 1])).toEqual([worker(3), worker(3)]);
  });

  it('chooses only ready replicas, each expert exactly once or null where there is none', () => {
    const anyReplica = fc.record({ worker: fc.integer({ min: 0, max: 5 }).map(worker), state: fc.constantFrom<'ready' | 'loading'>('ready', 'loading') });
    const placements = fc.array(fc.uniqueArray(anyReplica, { maxLength: 4, selector: (replica) => replica.worker }), { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(placements, (replicas) => {
      const chosen = choiceOf(replicas).choose(replicas.map((_replica, expert) => expert));
      chosen.forEach((id, expert) => {
        const callable = replicas[expert]!.filter(({ state }) => state === 'ready').map((replica) => replica.worker);
        expect(id === null ? callable.length === 0 : callable.includes(id)).toBe(true);
      });
    }));
  });

  it('never uses an excluded worker, and a suspect only where there is nobody else', () => {
    expect(choiceOf([ready(1)], { excluded: [worker(1)] }).choose([0])).toEqual([null]);
    expect(choiceOf([ready(1, 2), ready(1)], { suspects: [worker(1)] }).choose([0])).toEqual([worker(2)]);
    expect(choiceOf([ready(1)], { suspects: [worker(1)] }).choose([0])).toEqual([worker(1)]);
  });

  it('chooses the same again, and spreads experts and leads over the copies', () => {
    const placement = Array.from({ length: 64 }, () => ready(1, 2));
    const picks = (self: WorkerId, layer: number): (WorkerId | null)[] => placement.map((_replicas, expert) => choiceOf(placement, { self, layer }).choose([expert])[0]!);
    expect(picks(worker(8), 0)).toEqual(picks(worker(8), 0));
    for (const [self, layer] of [[worker(8), 0], [worker(9), 0], [worker(8), 1]] as const) {
      const first = picks(self, layer).filter((id) => id === worker(1)).length;
      expect(first).toBeGreaterThan(16);
      expect(first).toBeLessThan(48);
    }
    expect(picks(worker(8), 0)).not.toEqual(picks(worker(9), 0));
    expect(picks(worker(8), 0)).not.toEqual(picks(worker(8), 1));
  });
});
