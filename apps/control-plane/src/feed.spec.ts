import { expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { Feed } from './feed.ts';

const NEVER = new AbortController().signal;

it('gives each reader the present value at once, then the newest', async () => {
  const feed = new Feed<string>();
  feed.publish('a');
  const reader = feed.follow(NEVER);
  expect(await reader.next()).toEqual({ done: false, value: 'a' });
  const next = reader.next();
  feed.publish('b');
  expect(await next).toEqual({ done: false, value: 'b' });
  feed.publish('c');
  feed.publish('d');
  expect(await reader.next()).toEqual({ done: false, value: 'd' });
});

it('makes a reader wait until there is a first value', async () => {
  const feed = new Feed<string>();
  const first = feed.follow(NEVER).next();
  feed.publish('a');
  expect(await first).toEqual({ done: false, value: 'a' });
});

it('ends a reader with the reason of its signal, also one that was aborted before', async () => {
  const feed = new Feed<string>();
  const stop = new AbortController();
  const next = feed.follow(stop.signal).next();
  stop.abort(new AppError('cancelled', 'enough'));
  await expect(next).rejects.toThrow('enough');
  await expect(feed.follow(stop.signal).next()).rejects.toThrow('enough');
});

it('bounds its readers', async () => {
  const feed = new Feed<string>();
  const stop = new AbortController();
  const waiting = Array.from({ length: 4096 }, () => feed.follow(stop.signal).next().catch(() => undefined));
  await expect(feed.follow(stop.signal).next()).rejects.toMatchObject({ code: 'resource_exhausted' });
  stop.abort();
  await Promise.all(waiting);
});
