import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merge } from './merge.ts';

const NEVER = new AbortController().signal;

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('merge', () => {
  it('gives every value of every source once, each source in its order', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(fc.nat(), { maxLength: 6 }), { maxLength: 6 }), fc.scheduler(), async (lists, scheduler) => {
      const sources = lists.map((list, source) => async function* () {
        for (const value of list) yield await scheduler.schedule(Promise.resolve({ source, value }));
      });
      const merged = collect(merge(sources, NEVER));
      await scheduler.waitFor(merged);
      const values = await merged;
      lists.forEach((list, source) => expect(values.filter((each) => each.source === source).map(({ value }) => value)).toEqual(list));
      expect(values).toHaveLength(lists.flat().length);
    }));
  });

  it('asks a source for one value ahead at most', async () => {
    let made = 0;
    const merged = merge([async function* () { for (;;) yield ++made; }], NEVER);
    expect(await merged.next()).toEqual({ done: false, value: 1 });
    expect(await merged.next()).toEqual({ done: false, value: 2 });
    expect(made).toBeLessThanOrEqual(3);
    await merged.return();
  });

  /** A source that ends only when it is told to. */
  const patient = (ended: string[], name: string) => async function* (stop: AbortSignal) {
    try {
      yield name;
      if (!stop.aborted) await once(stop, 'abort');
    } finally {
      ended.push(name);
    }
  };

  it('fails with the first failure, and no source is left behind', async () => {
    const ended: string[] = [];
    const failing = async function* (): AsyncGenerator<string> {
      yield 'x';
      throw new Error('first');
    };
    await expect(collect(merge([patient(ended, 'a'), failing, patient(ended, 'b')], NEVER))).rejects.toThrow('first');
    expect(ended.sort()).toEqual(['a', 'b']);
  });

  it('leaves no source behind when its reader leaves', async () => {
    const ended: string[] = [];
    for await (const _value of merge([patient(ended, 'a'), patient(ended, 'b')], NEVER)) break;
    expect(ended.sort()).toEqual(['a', 'b']);
  });
});
