import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { systemClock } from './index.ts';

describe('the system clock', () => {
  it('never goes back while it sleeps', async () => {
    const before = systemClock.nowMs();
    await systemClock.sleep(1);
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(before);
  });

  it.each(['before', 'during'])('rejects a sleep with the reason of a signal that aborts %s it', async (when) => {
    const stop = new AbortController();
    const reason = new AppError('cancelled', 'no longer needed');
    if (when === 'before') stop.abort(reason);
    const asleep = systemClock.sleep(60_000, stop.signal);
    stop.abort(reason);
    await expect(asleep).rejects.toBe(reason);
  });
});
