import { describe, expect, it } from 'vitest';
import { ManualClock } from '@essaim/testing';
import { withHeartbeat } from './heartbeat.ts';

const EVERY_MS = 10;

describe('withHeartbeat', () => {
  it('tells of silence between values and loses none of them', async () => {
    const clock = new ManualClock();
    const release = Promise.withResolvers<void>();
    const beating = withHeartbeat((async function* () { yield 1; await release.promise; yield 2; })(), { everyMs: EVERY_MS, clock });
    expect((await beating.next()).value).toBe(1);
    for (let beat = 0; beat < 2; beat++) {
      const quiet = beating.next();
      clock.pass(EVERY_MS);
      expect((await quiet).value).toBe('quiet');
    }
    const second = beating.next();
    release.resolve();
    expect((await second).value).toBe(2);
    expect((await beating.next()).done).toBe(true);
  });

  it('counts silence from the last value, and not while its reader is busy', async () => {
    const clock = new ManualClock();
    const release = Promise.withResolvers<void>();
    const beating = withHeartbeat((async function* () { yield 1; await release.promise; yield 2; })(), { everyMs: EVERY_MS, clock });
    await beating.next();
    clock.pass(EVERY_MS - 1);
    const second = beating.next();
    clock.pass(1);
    release.resolve();
    expect((await second).value).toBe(2);
  });

  it('leaves no timer behind and passes a failure on', async () => {
    const clock = new ManualClock();
    const failing = (async function* (): AsyncGenerator<number> { yield 1; throw new Error('over'); })();
    const read = async (): Promise<void> => { for await (const _value of withHeartbeat(failing, { everyMs: EVERY_MS, clock })); };
    await expect(read()).rejects.toThrow('over');
    expect(clock.sleeping).toBe(0);
  });

  it('leaves its source when its reader leaves', async () => {
    let left = false;
    const source = (async function* () { try { yield 1; yield 2; } finally { left = true; } })();
    for await (const _value of withHeartbeat(source, { everyMs: EVERY_MS, clock: new ManualClock() })) break;
    expect(left).toBe(true);
  });
});
