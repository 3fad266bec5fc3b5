import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClusterSnapshot, hostedExperts, isServable, type Placement, workerId } from '@essaim/core';
import { ALL_EXPERTS } from '../test/samples.ts';
import { histories, Simulation } from '../test/simulation.ts';
import { rollOut } from './index.ts';

/** Of each live worker, how many experts it is told to hold. */
const heldIn = (snapshot: ClusterSnapshot): number[] => snapshot.workers.map(({ id }) => hostedExperts(snapshot, id).length);

describe('workers whose memory is just enough', () => {
  it('hold all experts, and one less room is refused with what is missing', () => {
    const cluster = new Simulation({}, { room: 4 }).join('w1', 'w2').load('w1', 'w2');
    expect([heldIn(cluster.published), isServable(cluster.published)]).toEqual([[4, 4], true]);
    const refused = new Simulation({}, { room: 3 }).join('w1', 'w2');
    expect(refused.events).toMatchObject([{ kind: 'failed' }]);
  });

  it('under any history are never told to hold more than they have room for, and serve again once all have loaded', () => {
    fc.assert(fc.property(histories, fc.integer({ min: 1, max: 2 }), fc.nat(2), (history, replicas, more) => {
      const room = Math.ceil((replicas * ALL_EXPERTS.length) / 3) + more;
      const run = new Simulation({ replicas, expectedWorkers: 3 }, { room });
      for (const step of history) {
        run.take(step);
        if (run.state.published) expect(Math.max(0, ...heldIn(run.published))).toBeLessThanOrEqual(room);
      }
      const ids = ['w5', 'w6', 'w7'];
      run.join(...ids);
      // What was there before is lost, unless it is among these.
      for (let round = 0; round < 16; round++) run.pass(500).load(...ids);
      expect([isServable(run.published), Math.max(...heldIn(run.published)) <= room]).toEqual([true, true]);
      expect(run.published.placement.flat().map((copies) => copies.filter(({ state }) => state === 'ready').length >= 1)).toEqual(ALL_EXPERTS.map(() => true));
    }), { numRuns: 200 });
  });
});

describe('a copy that its worker has no room for yet', () => {
  /** Experts of one layer on workers with room for so many; 'w1' hosts what is published as ready on it. */
  function next(target: readonly string[], published: readonly string[], room: number): string[] {
    const [wanted, told] = [target.map((id) => [workerId(id)]), published.map((id) => (id === '' ? [] : [{ worker: workerId(id), state: 'ready' as const }]))];
    const hosted = { isLive: () => true, hosts: (worker: string, _layer: number, expert: number) => published[expert] === worker, roomOf: () => room };
    const placement: Placement = rollOut({ target: [wanted], published: [told], hosted });
    return placement[0]!.map((copies) => copies.map(({ worker, state }) => `${worker} ${state}`).join(', '));
  }

  it('waits until another has gone', () => {
    expect(next(['w1', 'w2', 'w1'], ['w1', 'w1', 'w2'], 2)).toEqual(['w1 ready', 'w2 loading, w1 ready', 'w2 ready']);
  });

  it('waits for good where two would change places: both serve where they are', () => {
    expect(next(['w2', 'w1'], ['w1', 'w2'], 1)).toEqual(['w1 ready', 'w2 ready']);
  });

  it('comes before one that is to go where nobody serves it and nothing else would make room', () => {
    expect(next(['w2', 'w1', 'w1'], ['w1', '', 'w1'], 2)).toEqual(['w2 loading, w1 ready', '', 'w1 ready']);
    expect(next(['w2', 'w1', 'w3'], ['w1', '', 'w2'], 1)).toEqual(['w1 ready', '', 'w3 loading, w2 ready']);
    expect(next(['w2', 'w1', 'w1', 'w3'], ['w1', '', 'w2', 'w3'], 1)).toEqual(['', 'w1 loading', 'w2 ready', 'w3 ready']);
  });
});
