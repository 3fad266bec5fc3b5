import { once } from 'node:events';

/** For calls that nobody cancels. */
export const NEVER = new AbortController().signal;

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const aborted = (signal: AbortSignal): Promise<unknown> => (signal.aborted ? Promise.resolve() : once(signal, 'abort'));

/** What a promise rejects with, as a value. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => ({ resolved: value }), (thrown: unknown) => thrown);
