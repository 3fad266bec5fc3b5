import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { AppError, LEAD_PHASES, type LeadPhase, PhaseTimes } from '@essaim/core';
import { ready, ToyCluster, worker } from '../test/toy-cluster.ts';
import { workFor } from '../test/toy-work.ts';
import { type Dispatcher } from './dispatcher.ts';

const [self, other] = [worker(0), worker(1)];
let nowMs = 0;
let times: PhaseTimes<LeadPhase>;
let cluster: ToyCluster;
let dispatcher: Dispatcher;

beforeEach(() => {
  nowMs = 0;
  times = new PhaseTimes(LEAD_PHASES, 'dense', { nowMs: () => nowMs });
  cluster = new ToyCluster([[ready(0), ready(1)]]);
  dispatcher = cluster.dispatcher(self, { times });
});

const spent = (): Partial<Record<LeadPhase, number>> => Object.fromEntries(Object.entries(times.read()).filter(([, microseconds]) => microseconds > 0));

describe('the time of a dispatch', () => {
  it('is its own experts\' while they run, and the others\' while their answers are missing after that', async () => {
    const [own, theirs] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    cluster.mishaps.set(self, () => own.promise);
    cluster.mishaps.set(other, () => theirs.promise);
    const done = dispatcher.dispatch(workFor([[0, 1]]), new AbortController().signal);
    nowMs += 3;
    own.resolve(undefined);
    await turn();
    nowMs += 5;
    theirs.resolve(undefined);
    await done;
    nowMs += 7;
    expect(spent()).toEqual({ experts: 3_000, remote: 5_000, dense: 7_000 });
  });

  it('is its own experts\' alone where the others are faster', async () => {
    const own = Promise.withResolvers<undefined>();
    cluster.mishaps.set(self, () => own.promise);
    const done = dispatcher.dispatch(workFor([[0, 1]]), new AbortController().signal);
    await turn();
    nowMs += 4;
    own.resolve(undefined);
    await done;
    expect(spent()).toEqual({ experts: 4_000 });
  });

  it('is the others\' where it has no expert to run', async () => {
    const theirs = Promise.withResolvers<undefined>();
    cluster.mishaps.set(other, () => theirs.promise);
    const done = dispatcher.dispatch(workFor([[1]]), new AbortController().signal);
    nowMs += 2;
    theirs.resolve(undefined);
    await done;
    nowMs += 1;
    expect(spent()).toEqual({ remote: 2_000, dense: 1_000 });
  });

  it('is never the others\' where all experts are its own', async () => {
    const entered: LeadPhase[] = [];
    const lead = cluster.dispatcher(self, { times: { enter: (phase) => (entered.push(phase), 'dense') } });
    await lead.dispatch(workFor([[0], [0]]), new AbortController().signal);
    expect(entered).toEqual(['dispatch', 'experts', 'dispatch', 'dispatch', 'dense']);
  });

  it('ends with an abort, and own experts that still run count no further', async () => {
    const own = Promise.withResolvers<undefined>();
    cluster.mishaps.set(self, () => own.promise);
    cluster.mishaps.set(other, (_batch, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(new AppError('cancelled', 'gone')), { once: true })));
    const abort = new AbortController();
    const done = dispatcher.dispatch(workFor([[0, 1]]), abort.signal);
    nowMs += 1;
    abort.abort(new AppError('cancelled', 'the client is gone'));
    await expect(done).rejects.toMatchObject({ code: 'cancelled' });
    nowMs += 2;
    own.resolve(undefined);
    await turn();
    nowMs += 4;
    expect(spent()).toEqual({ experts: 1_000, dense: 6_000 });
  });
});
