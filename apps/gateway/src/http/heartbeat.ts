import { type Clock } from '@essaim/core';

/** The values of a source, and 'quiet' each time that none came for so long. Leaving the loop leaves the source. */
export async function* withHeartbeat<T>(source: AsyncIterable<T>, { everyMs, clock }: { readonly everyMs: number; readonly clock: Clock }): AsyncGenerator<T | 'quiet', void, undefined> {
  const values = source[Symbol.asyncIterator]();
  let next = values.next();
  try {
    for (;;) {
      const silence = new AbortController();
      const quiet = clock.sleep(everyMs, silence.signal).then(() => 'quiet' as const, () => 'quiet' as const);
      const first = await Promise.race([next, quiet]);
      silence.abort();
      if (first === 'quiet') yield first;
      else if (first.done === true) return;
      else {
        yield first.value;
        next = values.next();
      }
    }
  } finally {
    next.catch(() => undefined);
    await values.return?.();
  }
}
