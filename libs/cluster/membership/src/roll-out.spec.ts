import { describe, expect, it } from 'vitest';
import { type Placement, type Replica, workerId } from '@essaim/core';
import { rollOut } from './index.ts';

const [w1, w2, w3] = ['w1', 'w2', 'w3'].map(workerId) as [Replica['worker'], Replica['worker'], Replica['worker']];

interface Case {
  readonly wanted: readonly Replica['worker'][];
  readonly told?: readonly string[];
  readonly hosting: readonly Replica['worker'][];
  readonly live?: readonly Replica['worker'][];
}

/** One expert; a replica is written 'w1 ready'. */
function next({ wanted, told = [], hosting, live = [w1, w2, w3] }: Case): string[] {
  const published: Placement = [[told.map((text) => ({ worker: workerId(text.split(' ')[0]!), state: text.split(' ')[1] as Replica['state'] }))]];
  const hosted = { isLive: (worker: Replica['worker']) => live.includes(worker), hosts: (worker: Replica['worker']) => live.includes(worker) && hosting.includes(worker), roomOf: () => 9 };
  return rollOut({ target: [[wanted]], published, hosted })[0]![0]!.map(({ worker, state }) => `${worker} ${state}`);
}

describe('a copy', () => {
  it('is loading until its worker hosts it', () => {
    expect(next({ wanted: [w1], hosting: [] })).toEqual(['w1 loading']);
    expect(next({ wanted: [w1], told: ['w1 loading'], hosting: [w1] })).toEqual(['w1 ready']);
  });

  it('stays where it was until the new one is ready', () => {
    expect(next({ wanted: [w2], told: ['w1 ready'], hosting: [w1] })).toEqual(['w2 loading', 'w1 ready']);
    expect(next({ wanted: [w2], told: ['w2 loading', 'w1 ready'], hosting: [w1, w2] })).toEqual(['w2 ready']);
  });

  it('stays only as long as it is needed: as many old ones as new ones are missing', () => {
    expect(next({ wanted: [w2, w3], told: ['w1 ready', 'w2 ready'], hosting: [w1, w2] })).toEqual(['w2 ready', 'w3 loading', 'w1 ready']);
    expect(next({ wanted: [w2], told: ['w1 ready', 'w3 ready'], hosting: [w1, w3] })).toEqual(['w2 loading', 'w1 ready']);
  });

  it('of a lost worker is gone at once', () => {
    expect(next({ wanted: [w2], told: ['w1 ready'], hosting: [w1], live: [w2, w3] })).toEqual(['w2 loading']);
    expect(next({ wanted: [w1], told: ['w1 ready'], hosting: [w1], live: [w2, w3] })).toEqual([]);
  });

  it('that loads where it is no longer wanted is dropped, since it never served', () => {
    expect(next({ wanted: [w2], told: ['w1 loading'], hosting: [] })).toEqual(['w2 loading']);
  });

  it('that a worker no longer hosts is loading again', () => {
    expect(next({ wanted: [w1], told: ['w1 ready'], hosting: [] })).toEqual(['w1 loading']);
  });
});
