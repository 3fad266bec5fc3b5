import { describe, expect, it } from 'vitest';
import { type ClusterSnapshot, workerId, type WorkerState } from '@essaim/core';
import { LeadPool } from './lead-pool.ts';

const snapshot = (states: Readonly<Record<string, WorkerState>>): ClusterSnapshot => ({
  clusterId: 'c', epoch: 1, model: { id: 'm', directory: '/', dtype: 'int8', deterministic: false }, placement: [],
  workers: Object.entries(states).map(([id, state]) => ({ id: workerId(id), address: `${id}:1`, state, roles: { lead: id !== 'expert-only', expert: true } })),
});

/** Connections that only remember whether they are open. */
function createPool(): { pool: LeadPool; open: Set<string>; take(states: Readonly<Record<string, WorkerState>>, except?: string[]): ReturnType<LeadPool['take']> } {
  const open = new Set<string>();
  const pool = new LeadPool((address) => {
    open.add(address);
    return { address, close: () => open.delete(address), generate: async function* () {} };
  });
  return { pool, open, take: (states, except = []) => pool.take(snapshot(states), { except: new Set(except.map(workerId)) }) };
}

describe('LeadPool', () => {
  it('takes the lead with the fewest sequences, ties in turn', () => {
    const { take } = createPool();
    const both = { a: 'ready', b: 'ready' } as const;
    const [first, second] = [take(both)!, take(both)!];
    expect([first.id, second.id].sort()).toEqual(['a', 'b']);
    first[Symbol.dispose]();
    expect(take(both)!.id).toBe(first.id);
    const idle = createPool();
    const turns = Array.from({ length: 4 }, () => {
      using lead = idle.take(both);
      return lead!.id;
    });
    expect(turns).toEqual(['a', 'b', 'a', 'b']);
  });

  it('takes no worker that is not ready, does not lead, or failed before', () => {
    const { take } = createPool();
    expect(take({ a: 'loading', b: 'draining', c: 'lost', 'expert-only': 'ready', d: 'ready' }, ['d'])).toBeNull();
  });

  it('keeps one connection to each worker, and none to a worker that left and is idle', () => {
    const { take, open } = createPool();
    const lead = take({ a: 'ready' })!;
    take({ a: 'ready' })![Symbol.dispose]();
    expect([...open]).toEqual(['a:1']);
    take({ b: 'ready', a: 'lost' });
    expect([...open].sort()).toEqual(['a:1', 'b:1']);
    lead[Symbol.dispose]();
    take({ b: 'ready' });
    expect([...open]).toEqual(['b:1']);
  });

  it('closes every connection in the end', () => {
    const { pool, take, open } = createPool();
    take({ a: 'ready' });
    pool.close();
    expect(open.size).toBe(0);
  });
});
