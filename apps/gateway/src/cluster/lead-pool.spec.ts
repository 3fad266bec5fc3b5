import { describe, expect, it } from 'vitest';
import { type ClusterSnapshot, GREEDY, requestId, sequenceId, type SequenceRequest, workerId, type WorkerState } from '@essaim/core';
import { ClusterView } from './cluster-view.ts';
import { LeadPool } from './lead-pool.ts';

const snapshot = (states: Readonly<Record<string, WorkerState>>, epoch = 1): ClusterSnapshot => ({
  clusterId: 'c', epoch, model: { id: 'm', directory: '/', dtype: 'int8', deterministic: false }, placement: [],
  workers: Object.entries(states).map(([id, state]) => ({ id: workerId(id), address: `${id}:1`, state, roles: { lead: id !== 'expert-only', expert: true } })),
});

const REQUEST: SequenceRequest = {
  requestId: requestId('r'), sequenceId: sequenceId('s'), promptIds: [1], generatedIds: [], sampling: GREEDY,
  maxTokens: 1, minTokens: 0, stopTokenIds: [], ignoreEos: false, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 1_000,
};

/** Connections that only remember whether they are open, and whose calls wait for their signal. */
function createPool(): { pool: LeadPool; open: Set<string>; take(states: Readonly<Record<string, WorkerState>>, except?: string[]): ReturnType<LeadPool['take']> } {
  const open = new Set<string>();
  const pool = new LeadPool((address) => {
    open.add(address);
    return { address, close: () => open.delete(address), generate: hang };
  });
  return { pool, open, take: (states, except = []) => pool.take(snapshot(states), { except: new Set(except.map(workerId)) }) };
}

async function* hang(_request: SequenceRequest, signal: AbortSignal): AsyncGenerator<never> {
  await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
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

  it('keeps one connection to each worker, and gives up those of workers that are lost or came back elsewhere', async () => {
    const { pool, take, open } = createPool();
    const view = new ClusterView();
    const over = new AbortController();
    view.take(snapshot({ a: 'ready', b: 'ready' }));
    const following = pool.follow(view, over.signal);
    using lead = take({ a: 'ready' })!;
    take({ a: 'ready' })![Symbol.dispose]();
    using other = take({ b: 'ready' })!;
    expect([...open]).toEqual(['a:1', 'b:1']);
    const [atLost, atOther] = [lead, other].map(async (each) => each.generate(REQUEST, new AbortController().signal)[Symbol.asyncIterator]().next());
    view.take(snapshot({ b: 'ready', a: 'lost' }, 2));
    await expect(atLost).rejects.toMatchObject({ code: 'unavailable', message: 'worker a is lost' });
    expect([...open]).toEqual(['b:1']);
    view.take({ ...snapshot({}, 3), workers: [{ id: workerId('b'), address: 'elsewhere:1', state: 'ready', roles: { lead: true, expert: true } }] });
    await expect(atOther).rejects.toMatchObject({ code: 'unavailable' });
    expect([...open]).toEqual([]);
    over.abort();
    await following;
  });

  it('closes every connection in the end', () => {
    const { pool, take, open } = createPool();
    take({ a: 'ready' });
    pool.close();
    expect(open.size).toBe(0);
  });
});
