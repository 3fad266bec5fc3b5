import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { aborted, collect, NEVER } from '../test/streams.ts';
import { latest } from './latest.ts';

/** A source that yields these at once, then waits for its stop. */
const burst = (values: readonly number[], stopped: () => void = () => undefined) => async function* (stop: AbortSignal): AsyncGenerator<number> {
  yield* values;
  await aborted(stop);
  stopped();
};

describe('latest', () => {
  it('yields every value to a reader that waits for it, and ends with the source', async () => {
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const values: number[] = [];
    async function* source(): AsyncGenerator<number> {
      for (let value = 0; value < 3; value++) {
        yield value;
        await asked[value]!.promise;
      }
    }
    for await (const value of latest(source, NEVER)) {
      values.push(value);
      asked[value]!.resolve();
    }
    expect(values).toEqual([0, 1, 2]);
  });

  it('holds only the newest value for a reader that is busy', async () => {
    const reader = latest(burst([1, 2, 3, 4, 5]), NEVER);
    const first = await reader.next();
    await new Promise(setImmediate);
    expect([first.value, (await reader.next()).value]).toEqual([1, 5]);
    await reader.return();
  });

  it('yields the last value of a source that ends before it is read', async () => {
    async function* source(): AsyncGenerator<number> {
      yield* [1, 2, 3];
    }
    const reader = latest(source, NEVER);
    await reader.next();
    await new Promise(setImmediate);
    expect(await collect(reader)).toEqual([3]);
  });

  it('fails with the error of its source, at once', async () => {
    async function* source(): AsyncGenerator<number> {
      yield 1;
      yield 2;
      throw new AppError('unavailable', 'the source is gone');
    }
    const reader = latest(source, NEVER);
    await reader.next();
    await new Promise(setImmediate);
    await expect(reader.next()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['the signal', 'leaving the loop'])('stops its source on %s', async (how) => {
    const stopped = Promise.withResolvers<void>();
    const stop = new AbortController();
    const reader = latest(burst([1], stopped.resolve), stop.signal);
    await reader.next();
    if (how === 'leaving the loop') await reader.return();
    else {
      const next = reader.next();
      stop.abort(new AppError('cancelled', 'enough'));
      await expect(next).rejects.toMatchObject({ message: 'enough' });
    }
    await stopped.promise;
  });

  it('does not open its source for a signal that is aborted already', async () => {
    const open = (): AsyncIterable<number> => { throw new Error('not to be called'); };
    await expect(latest(open, AbortSignal.abort()).next()).rejects.toMatchObject({ code: 'cancelled' });
  });
});
