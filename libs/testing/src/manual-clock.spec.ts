import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('a manual clock', () => {
  it('wakes those whose time has come, and only them', async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    const short = clock.sleep(10).then(() => woken.push('short'));
    const long = clock.sleep(30).then(() => woken.push('long'));
    clock.pass(10);
    await short;
    expect([woken, clock.nowMs(), clock.sleeping]).toEqual([['short'], 10, 1]);
    clock.pass(20);
    await long;
    expect([woken, clock.nowMs(), clock.sleeping]).toEqual([['short', 'long'], 30, 0]);
  });

  it.each(['before', 'during'])('rejects a sleep with the reason of a signal that aborts %s it, and forgets it', async (when) => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const reason = new Error('no longer needed');
    if (when === 'before') stop.abort(reason);
    const asleep = clock.sleep(10, stop.signal);
    stop.abort(reason);
    await expect(asleep).rejects.toBe(reason);
    expect(clock.sleeping).toBe(0);
  });
});
