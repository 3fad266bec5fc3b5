import { afterAll, describe, expect, it } from 'vitest';
import { AppError, LIMITS, type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { ManualClock, type LocalClusterOptions, type LocalWorker } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest, tokensOf } from './generate.ts';
import { finishReason, startTiny, tinyVector, tokenIds } from './tiny-cluster.ts';

/** Clients that leave and deadlines that pass: what is theirs is free before the next step, and nobody else notices. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const { promptIds, greedyIds } = tinyVector;
const request = (maxTokens: number): SequenceRequest => greedyRequest(promptIds, maxTokens);
const start = (options: Partial<LocalClusterOptions> = {}) => startTiny({ cache: compiled.cache, ...options });
const idle = (engine: LocalWorker['engine']): boolean => engine.runningSequences + engine.waitingSequences === 0;

/** Resolves once the engine has scheduled after everything that was asked of it before: a sequence of one token has come and gone. */
const nextSteps = (engine: LocalWorker['engine']): Promise<SequenceEvent[]> => eventsOf(engine, greedyRequest([5], 1));

describe('a signal that aborts', () => {
  it('takes the sequence out before the next step and frees its keys and values, while the others go on', async () => {
    const steps: number[] = [];
    await using cluster = await start({ onStep: (counts) => steps.push(counts.length) });
    const { engine } = cluster.workers[0]!;
    const stop = new AbortController();
    const staying = eventsOf(engine, request(32));
    const left: SequenceEvent[] = [];
    let [stepsThen, usedThen] = [0, 0];
    const leaving = async (): Promise<void> => {
      for await (const event of engine.generate(request(32), stop.signal)) {
        left.push(event);
        if (left.length !== 3) continue;
        [stepsThen, usedThen] = [steps.length, cluster.kv.usedBytes];
        stop.abort();
      }
    };
    await expect(leaving()).rejects.toMatchObject({ code: 'cancelled' });
    await nextSteps(engine);
    expect(cluster.kv.usedBytes).toBeLessThan(usedThen);
    expect(tokenIds(await staying)).toEqual(greedyIds);
    // One sequence, and the passing one beside it: never the two that were there before.
    expect(steps.slice(stepsThen).filter((sequences) => sequences === 2)).toHaveLength(1);
    expect(tokenIds(left)).toEqual(greedyIds.slice(0, left.length));
    expect([idle(engine), cluster.kv.usedBytes]).toEqual([true, 0]);
  });

  it('takes a sequence out of the queue', async () => {
    await using cluster = await start({ limits: { runningSequences: 1 } });
    const { engine } = cluster.workers[0]!;
    const stop = new AbortController();
    const running = tokensOf(engine, request(32));
    const waiting = engine.generate(request(32), stop.signal).next();
    expect([engine.runningSequences, engine.waitingSequences]).toEqual([1, 1]);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await nextSteps(engine);
    expect(idle(engine)).toBe(true);
    expect(await running).toEqual(greedyIds);
  });

  it('gives its own reason where that is one of ours', async () => {
    await using cluster = await start();
    const { engine } = cluster.workers[0]!;
    const stop = new AbortController();
    const answer = engine.generate(request(32), stop.signal);
    await answer.next();
    stop.abort(new AppError('unavailable', 'the connection was lost'));
    const rest = async (): Promise<void> => {
      for await (const _ of answer);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'unavailable', message: 'the connection was lost' });
  });

  it('from before keeps the sequence out altogether', async () => {
    const steps: number[] = [];
    await using cluster = await start({ onStep: (counts) => steps.push(counts.length) });
    const { engine } = cluster.workers[0]!;
    await expect(engine.generate(request(32), AbortSignal.abort()).next()).rejects.toMatchObject({ code: 'cancelled' });
    expect([idle(engine), cluster.kv.usedBytes, steps]).toEqual([true, 0, []]);
  });
});

describe('a client that leaves its loop', () => {
  it.each([1, 2, 7])('after %i tokens has nothing computed for it from the next step on', async (count) => {
    const steps: number[] = [];
    await using cluster = await start({ onStep: (counts) => steps.push(counts.length) });
    const { engine } = cluster.workers[0]!;
    let left = 0;
    for await (const event of engine.generate(request(32), new AbortController().signal)) {
      if (event.kind === 'token' && ++left === count) break;
    }
    const stepsThen = steps.length;
    await nextSteps(engine);
    expect(steps.slice(stepsThen)).toEqual([1]);
    expect([idle(engine), cluster.kv.usedBytes]).toEqual([true, 0]);
  });
});

describe('a deadline', () => {
  it('ends a sequence that runs, with a sentence, and none of the others', async () => {
    const clock = new ManualClock();
    await using cluster = await start({ clock });
    const { engine } = cluster.workers[0]!;
    const staying = tokensOf(engine, { ...request(32), timeoutMs: 1_001 });
    const late = eventsOf(engine, { ...request(32), timeoutMs: 1_000 }, (count) => void (count === 3 && clock.pass(1_000)));
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded', message: expect.stringContaining('within 1000 ms') as string });
    expect(await staying).toEqual(greedyIds);
    expect([idle(engine), cluster.kv.usedBytes, clock.sleeping]).toEqual([true, 0, 0]);
  });

  it('ends one that waits', async () => {
    const clock = new ManualClock();
    await using cluster = await start({ clock, limits: { runningSequences: 1 } });
    const { engine } = cluster.workers[0]!;
    const running = tokensOf(engine, request(32));
    const waiting = tokensOf(engine, { ...request(32), timeoutMs: 10 });
    clock.pass(10);
    await expect(waiting).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await running).toEqual(greedyIds);
    expect(idle(engine)).toBe(true);
  });

  it('never lies further off than the longest generation', async () => {
    const clock = new ManualClock();
    await using cluster = await start({ clock });
    const answer = eventsOf(cluster.workers[0]!.engine, { ...request(32), timeoutMs: Number.MAX_SAFE_INTEGER }, (count) => void (count === 1 && clock.pass(LIMITS.generationMs)));
    await expect(answer).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('leaves no timer behind an answer that came in time', async () => {
    const clock = new ManualClock();
    await using cluster = await start({ clock });
    expect(finishReason(await eventsOf(cluster.workers[0]!.engine, request(4)))).toBe('length');
    expect(clock.sleeping).toBe(0);
  });
});

describe('an engine that is closed', () => {
  it('fails what runs, what waits and what still comes, and holds nothing', async () => {
    await using cluster = await start({ limits: { runningSequences: 1 } });
    const { engine } = cluster.workers[0]!;
    const refused = { code: 'unavailable', message: 'this worker is shutting down' };
    const running = eventsOf(engine, request(32), (count) => void (count === 2 && engine.close()));
    const waiting = eventsOf(engine, request(32));
    await expect(running).rejects.toMatchObject(refused);
    await expect(waiting).rejects.toMatchObject(refused);
    await expect(eventsOf(engine, request(32))).rejects.toMatchObject(refused);
    expect([idle(engine), cluster.kv.usedBytes]).toEqual([true, 0]);
  });
});
