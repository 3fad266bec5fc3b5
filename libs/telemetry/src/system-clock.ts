import { setTimeout as delay } from 'node:timers/promises';
import { type Clock } from '@essaim/core';

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await delay(durationMs, undefined, { signal });
    } catch (thrown) {
      // Node wraps the reason; a Clock rejects with the reason itself.
      throw signal?.aborted === true ? signal.reason : thrown;
    }
  },
};
