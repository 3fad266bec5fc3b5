import { describe, expect, it } from 'vitest';
import { type Clock } from '@essaim/core';
import { withHeartbeat } from './heartbeat.ts';

/** Every sleep lasts until the test ends it or the sleeper no longer cares. */
function manualClock(): { clock: Clock; wake(): void; sleepers: Set<() => void> } {
  const sleepers = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => 0,
    sleep: (_durationMs, signal) => new Promise((resolve, reject) => {
      sleepers.add(resolve);
      signal?.addEventListener('abort', () => {
        sleepers.delete(resolve);
        reject(signal.reason);
      });
    }),
  };
  return { clock, sleepers, wake: () => sleepers.forEach((resolve) => resolve()) };
}

describe('withHeartbeat', () => {
  it('tells of silence between values and loses none of them', async () => {
    const { clock, wake } = manualClock();
    const release = Promise.withResolvers<void>();
    const beating = withHeartbeat((async function* () { yield 1; await release.promise; yield 2; })(), { everyMs: 10, clock });
    expect((await beating.next()).value).toBe(1);
    const quiet = beating.next();
    wake();
    expect((await quiet).value).toBe('quiet');
    const second = beating.next();
    release.resolve();
    expect((await second).value).toBe(2);
    expect((await beating.next()).done).toBe(true);
  });

  it('leaves no timer behind and passes a failure on', async () => {
    const { clock, sleepers } = manualClock();
    const failing = (async function* (): AsyncGenerator<number> { yield 1; throw new Error('over'); })();
    const read = async (): Promise<void> => { for await (const _value of withHeartbeat(failing, { everyMs: 10, clock })); };
    await expect(read()).rejects.toThrow('over');
    expect(sleepers.size).toBe(0);
  });

  it('leaves its source when its reader leaves', async () => {
    const { clock } = manualClock();
    let left = false;
    const source = (async function* () { try { yield 1; yield 2; } finally { left = true; } })();
    for await (const _value of withHeartbeat(source, { everyMs: 10, clock })) break;
    expect(left).toBe(true);
  });
});
