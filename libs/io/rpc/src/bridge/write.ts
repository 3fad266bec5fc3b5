import { type Writable } from 'node:stream';
import { abortedError } from './status.ts';

/** Writes one message; resolves once the stream has room for another. Rejects when the signal aborts: a cancelled stream never drains. */
export function writeTo(stream: Writable, message: unknown, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(abortedError(signal));
  if (stream.write(message)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      stream.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onDrain = settle(resolve);
    const onAbort = settle(() => reject(abortedError(signal)));
    stream.once('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
