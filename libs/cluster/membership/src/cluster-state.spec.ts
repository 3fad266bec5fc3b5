import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { hostedExperts, isServable, workerId } from '@essaim/core';
import { ALL_EXPERTS, PLAN, registration } from '../test/samples.ts';
import { histories, Simulation } from '../test/simulation.ts';

const TTL = 3_000;

let cluster: Simulation;
beforeEach(() => void (cluster = new Simulation()));

describe('the first placement', () => {
  it('waits for the expected workers, and nothing is published before', () => {
    cluster.join('w1');
    expect(cluster.state.published).toBeNull();
    cluster.join('w2');
    expect(cluster.published).toMatchObject({ clusterId: 'c', epoch: 1, model: PLAN.model, workers: [{ id: 'w1', state: 'joining' }, { id: 'w2', state: 'joining' }] });
    expect(cluster.published.placement.flat(2).map(({ state }) => state)).toEqual(ALL_EXPERTS.map(() => 'loading'));
  });

  it('takes those that came when the grace is over', () => {
    for (cluster.join('w1'); cluster.nowMs < PLAN.joinGraceMs; cluster.pass(1_000)) cluster.load('w1');
    expect(hostedExperts(cluster.published, workerId('w1'))).toEqual(ALL_EXPERTS);
  });

  it('of nobody publishes that nothing can be served', () => {
    cluster.pass(PLAN.joinGraceMs);
    expect(cluster.published.workers).toEqual([]);
    expect(isServable(cluster.published)).toBe(false);
    cluster.join('w1').load('w1');
    expect(isServable(cluster.published)).toBe(true);
  });

  it('fails in a sentence when all have come and their memory does not suffice', () => {
    cluster = new Simulation({}, { room: 3 }).join('w1', 'w2');
    expect(cluster.events).toEqual([{ kind: 'failed', reason: expect.stringMatching(/^1 copy of 2 x 4 experts makes 8, and the 2 live workers have room for 6 .*; 307 MB are missing for 2 of 153 MB each: start 1 more like them, or lower --kv-memory to \d+, or/) as string }]);
  });

  it('of a dense model places nothing and is servable as soon as one can lead', () => {
    cluster = new Simulation({ expertCount: 0 }).join('w1', 'w2');
    expect([cluster.published.placement, isServable(cluster.published)]).toEqual([[], false]);
    expect(isServable(cluster.report('w1', {}).published)).toBe(true);
  });

  it('after a restart leaves experts where they are, in epochs that go on rising', () => {
    cluster = new Simulation({}, { epoch: 41 }).join('w1');
    cluster.report('w1', { hosted: ALL_EXPERTS.filter(({ expert }) => expert >= 2) }).join('w2');
    cluster.report('w2', { hosted: ALL_EXPERTS.filter(({ expert }) => expert < 2) });
    expect(cluster.published.epoch).toBeGreaterThan(41);
    expect([0, 1, 2, 3].map((expert) => cluster.replicas(1, expert))).toEqual([['w2 ready'], ['w2 ready'], ['w1 ready'], ['w1 ready']]);
  });
});

describe('the epoch', () => {
  beforeEach(() => void cluster.join('w1', 'w2').load('w1', 'w2'));

  it('stays while nothing that is published changes', () => {
    const { epoch } = cluster.published;
    cluster.load('w1').report('w2', { hosted: hostedExperts(cluster.published, workerId('w2')), runningSequences: 9, kvUsedBytes: 10 }).pass(10);
    expect(cluster.published.epoch).toBe(epoch);
  });

  it('rises by one with each change', () => {
    const { epoch } = cluster.published;
    cluster.report('w2', { state: 'draining', hosted: hostedExperts(cluster.published, workerId('w2')) });
    expect(cluster.published.epoch).toBe(epoch + 1);
  });

  it('is proposed again until it is committed', () => {
    const { epoch } = cluster.published;
    cluster.state.join(registration('w3'), 0);
    expect([cluster.state.next()?.epoch, cluster.state.next()?.epoch]).toEqual([epoch + 1, epoch + 1]);
  });
});

describe('a worker that is lost', () => {
  it('loses its copies at once, and the others take them over', () => {
    cluster.join('w1', 'w2').load('w1', 'w2');
    expect(isServable(cluster.published)).toBe(true);
    cluster.pass(TTL - 1).load('w1').pass(1);
    expect(cluster.published.workers.map(({ id }) => id)).toEqual(['w1']);
    expect(cluster.state.lost.map(({ registration: { id } }) => id)).toEqual(['w2']);
    expect(hostedExperts(cluster.published, workerId('w1'))).toEqual(ALL_EXPERTS);
    expect(isServable(cluster.published)).toBe(false);
    expect(isServable(cluster.load('w1').published)).toBe(true);
  });

  it('costs no service where every expert has two copies', () => {
    cluster = new Simulation({ replicas: 2, expectedWorkers: 3 }).join('w1', 'w2', 'w3').load('w1', 'w2', 'w3');
    cluster.pass(TTL - 1).load('w1', 'w2').pass(1);
    expect(isServable(cluster.published)).toBe(true);
    cluster.load('w1', 'w2');
    expect(cluster.published.placement.flat().map((replicas) => replicas.length)).toEqual(ALL_EXPERTS.map(() => 2));
  });

  it('leaves fewer copies than asked for when too few workers remain, and says so', () => {
    cluster = new Simulation({ replicas: 2 }).join('w1', 'w2').load('w1', 'w2');
    cluster.pass(TTL - 1).load('w1').pass(1);
    expect(cluster.events.at(-1)).toMatchObject({ kind: 'placed', degraded: expect.stringContaining('only 1 of 2 copies') as string });
    expect(isServable(cluster.published)).toBe(true);
  });

  it('leaves fewer copies when memory no longer suffices for all of them', () => {
    cluster = new Simulation({ replicas: 2, expectedWorkers: 3 }, { room: 6 }).join('w1', 'w2', 'w3').load('w1', 'w2', 'w3');
    cluster.pass(TTL - 1).load('w1', 'w2').pass(1);
    expect(cluster.events.at(-1)).toMatchObject({ kind: 'placed', degraded: expect.stringMatching(/only 1 of 2 copies.*room for 12/) as string });
    expect(isServable(cluster.published)).toBe(true);
  });

  it('that comes back starts over: what its former process held is not taken for loaded', () => {
    cluster.join('w1', 'w2').load('w1', 'w2').join('w2');
    expect(cluster.published.workers.find(({ id }) => id === 'w2')?.state).toBe('joining');
    expect(cluster.published.placement.flat(2).filter(({ worker }) => worker === 'w2').every(({ state }) => state === 'loading')).toBe(true);
  });
});

describe('a worker that joins later', () => {
  it('gets its share, and the old copies serve until the new ones are ready', () => {
    cluster.join('w1', 'w2').load('w1', 'w2').join('w3');
    expect(hostedExperts(cluster.published, workerId('w3')).length).toBeGreaterThanOrEqual(2);
    expect(isServable(cluster.published)).toBe(true);
    cluster.load('w3');
    expect(cluster.published.placement.flat().map((replicas) => replicas.length)).toEqual(ALL_EXPERTS.map(() => 1));
  });
});

describe('a worker that drains', () => {
  it('serves until the others have what it held', () => {
    cluster.join('w1', 'w2').load('w1', 'w2');
    const hosted = hostedExperts(cluster.published, workerId('w2'));
    cluster.report('w2', { state: 'draining', hosted });
    expect(hostedExperts(cluster.published, workerId('w2'))).toEqual(hosted);
    expect(isServable(cluster.published)).toBe(true);
    cluster.load('w1');
    expect(hostedExperts(cluster.published, workerId('w2'))).toEqual([]);
  });

  it('keeps what it has when nobody else is there', () => {
    cluster.join('w1', 'w2').load('w1', 'w2');
    for (const id of ['w1', 'w2']) cluster.report(id, { state: 'draining', hosted: hostedExperts(cluster.published, workerId(id)) });
    expect(hostedExperts(cluster.published, workerId('w2')).length).toBeGreaterThan(0);
    expect(cluster.events.at(-1)).toMatchObject({ kind: 'refused' });
  });
});

describe('a worker that fails for good', () => {
  it('fails a cluster that never served, with its sentence', () => {
    cluster.join('w1', 'w2').report('w1', { failure: 'tensor x is missing: download again' });
    expect(cluster.events.at(-1)).toEqual({ kind: 'failed', reason: 'tensor x is missing: download again' });
  });

  it('is lost to a cluster that serves', () => {
    cluster.join('w1', 'w2').load('w1', 'w2').report('w1', { failure: 'the disk is full' });
    expect(cluster.state.lost.map(({ registration: { id } }) => id)).toEqual(['w1']);
    expect(cluster.events).toContainEqual({ kind: 'worker', worker: 'w1', from: 'ready', to: 'lost', failure: 'the disk is full' });
    expect(cluster.events.some(({ kind }) => kind === 'failed')).toBe(false);
  });
});

it('under any history: epochs rise with changes only, replicas are on live workers, each once, and what was ready stays while its worker lives', () => {
  fc.assert(fc.property(histories, fc.integer({ min: 1, max: 2 }), (history, replicas) => {
    const run = new Simulation({ replicas });
    for (const step of history) {
      const { kind } = step;
      const id = `w${step.worker}`;
      const before = run.state.published;
      run.take(step);
      const after = run.state.published;
      if (!after || after === before) continue;
      expect(after.epoch).toBe((before?.epoch ?? 0) + 1);
      expect({ ...after, epoch: 0 }).not.toEqual({ ...before, epoch: 0 });
      const live = new Set(after.workers.map((peer) => peer.id));
      after.placement.forEach((experts, layer) => experts.forEach((copies, expert) => {
        expect(new Set(copies.map((copy) => copy.worker)).size).toBe(copies.length);
        expect(copies.every((copy) => live.has(copy.worker))).toBe(true);
        const served = before?.placement[layer]?.[expert]?.some((copy) => copy.state === 'ready' && live.has(copy.worker) && !(kind === 'join' && copy.worker === id));
        if (served) expect(copies.some((copy) => copy.state === 'ready')).toBe(true);
      }));
    }
  }));
});

describe('a model whose first layers are dense', () => {
  const plan = { layerCount: 3, denseLayerCount: 1 };
  const layers = [1, 2];

  it('has experts placed in the others, counted as the model counts its layers', () => {
    const cluster = new Simulation(plan).join('w1', 'w2');
    expect(cluster.published.placement.map((experts) => experts.length)).toEqual([0, 4, 4]);
    const hosted = ['w1', 'w2'].map((id) => hostedExperts(cluster.published, workerId(id)));
    expect(hosted.map((keys) => layers.map((layer) => keys.filter((key) => key.layer === layer).length))).toEqual([[2, 2], [2, 2]]);
    expect(isServable(cluster.load('w1', 'w2').published)).toBe(true);
  });

  it('keeps them where workers have them when the control plane starts again', () => {
    const all = layers.flatMap((layer) => [0, 1, 2, 3].map((expert) => ({ layer, expert })));
    const cluster = new Simulation(plan).join('w1');
    cluster.report('w1', { hosted: all.filter(({ expert }) => expert >= 2) }).join('w2');
    cluster.report('w2', { hosted: all.filter(({ expert }) => expert < 2) });
    for (const layer of layers) expect([0, 1, 2, 3].map((expert) => cluster.replicas(layer, expert))).toEqual([['w2 ready'], ['w2 ready'], ['w1 ready'], ['w1 ready']]);
  });
});
