import { type Clock } from '@essaim/core';

interface HeartbeatOptions {
  readonly everyMs: number;
  readonly clock: Clock;
}

/** The values of a source, and 'quiet' each time that none came for so long. Leaving the loop leaves the source. */
export async function* withHeartbeat<T>(source: AsyncIterable<T>, options: HeartbeatOptions): AsyncGenerator<T | 'quiet', void, undefined> {
  const values = source[Symbol.asyncIterator]();
  let next = values.next();
  try {
    for (;;) {
      const result = await orQuiet(next, options);
      if (result === 'quiet') yield result;
      else if (result.done === true) return;
      else {
        yield result.value;
        next = values.next();
      }
    }
  } finally {
    // Its failure, if it is still to come, has nobody to tell.
    next.catch(() => undefined);
    await values.return?.();
  }
}

async function orQuiet<T>(next: Promise<T>, { everyMs, clock }: HeartbeatOptions): Promise<T | 'quiet'> {
  const settled = new AbortController();
  try {
    return await Promise.race([next, clock.sleep(everyMs, settled.signal).then(() => 'quiet' as const)]);
  } finally {
    settled.abort();
  }
}
