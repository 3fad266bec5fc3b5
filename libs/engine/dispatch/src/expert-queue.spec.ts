import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { ExpertQueue, type WaitingCall } from './expert-queue.ts';
import { batchOf } from '../test/toy-batch.ts';

const LIMITS = { waitingRows: 12, batchRows: 6 };

interface Ask {
  readonly layer?: number;
  readonly rows?: number;
  readonly hiddenSize?: number;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

function call({ layer = 0, rows = 1, hiddenSize = 1, signal = new AbortController().signal, deadlineMs = Infinity }: Ask = {}): WaitingCall & { failure: AppError | null } {
  const batch = batchOf(Array.from({ length: rows }, () => [0]), { layer, hiddenSize });
  const waiting = { batch, signal, cameMs: 0, deadlineMs, failure: null as AppError | null, resolve: () => undefined, reject: (error: AppError) => void (waiting.failure = error) };
  return waiting;
}

function queueOf(...calls: readonly WaitingCall[]): ExpertQueue {
  const queue = new ExpertQueue(LIMITS);
  for (const each of calls) queue.add(each, 0);
  return queue;
}

describe('what is taken', () => {
  it('is the oldest call with all others of its layer, in the order in which they came', () => {
    const [first, other, second, third] = [call({ layer: 3 }), call({ layer: 1 }), call({ layer: 3 }), call({ layer: 3 })];
    const queue = queueOf(first, other, second, third);
    expect(queue.take(0)).toEqual([first, second, third]);
    expect(queue.take(0)).toEqual([other]);
    expect(queue.take(0)).toEqual([]);
  });

  it('never mixes widths', () => {
    const [narrow, wide] = [call(), call({ hiddenSize: 2 })];
    expect(queueOf(narrow, wide).take(0)).toEqual([narrow]);
  });

  it('has no more rows than its bound, but for one call that has more by itself', () => {
    const [large, small, middle] = [call({ rows: 7 }), call({ rows: 2 }), call({ rows: 3 })];
    const queue = queueOf(large, small, middle);
    expect(queue.take(0)).toEqual([large]);
    expect(queue.take(0)).toEqual([small, middle]);
  });

  it('is in the end every call once, the oldest first', () => {
    const anyCall = fc.record({ layer: fc.integer({ min: 0, max: 2 }), rows: fc.integer({ min: 0, max: 8 }) }).map(call);
    fc.assert(fc.property(fc.array(anyCall, { maxLength: 12 }), (calls) => {
      const queue = new ExpertQueue({ ...LIMITS, waitingRows: Infinity });
      for (const each of calls) queue.add(each, 0);
      const left = new Set<WaitingCall>(calls);
      for (let taken = queue.take(0); taken.length > 0; taken = queue.take(0)) {
        expect(taken[0]).toBe([...left][0]);
        for (const each of taken) expect(left.delete(each)).toBe(true);
        if (taken.length > 1) expect(taken.reduce((rows, { batch }) => rows + batch.rowOffsets.length - 1, 0)).toBeLessThanOrEqual(LIMITS.batchRows);
      }
      expect(left.size).toBe(0);
    }));
  });
});

describe('a full queue', () => {
  it('refuses what is too much at once, in words that say what to do, and has room again when something was taken', () => {
    const queue = queueOf(call({ rows: 6 }), call({ rows: 6, layer: 1 }));
    expect(() => queue.add(call(), 0)).toThrow(new AppError('resource_exhausted', '12 rows wait for the experts of this worker already: call another replica, or this one again in a moment'));
    queue.take(0);
    expect(() => queue.add(call(), 0)).not.toThrow();
  });

  it('takes one call of any size when nothing else waits', () => {
    expect(queueOf(call({ rows: 100 })).take(0)).toHaveLength(1);
  });

  it('counts a call without rows, too', () => {
    const queue = queueOf(...Array.from({ length: 12 }, () => call({ rows: 0 })));
    expect(() => queue.add(call({ rows: 0 }), 0)).toThrow(AppError);
  });

  it('drops what nobody waits for before it refuses anyone', () => {
    const gone = new AbortController();
    const queue = queueOf(call({ rows: 11, signal: gone.signal }), call());
    gone.abort();
    expect(() => queue.add(call({ rows: 11 }), 0)).not.toThrow();
  });
});

describe('a call that nobody waits for', () => {
  it('is not taken when it was aborted, and fails with the reason', () => {
    const [reason, gone] = [new AppError('cancelled', 'the lead left'), new AbortController()];
    const [aborted, other] = [call({ signal: gone.signal }), call()];
    const queue = queueOf(aborted, other);
    gone.abort(reason);
    expect(queue.take(0)).toEqual([other]);
    expect(aborted.failure).toBe(reason);
  });

  it('is not taken when its deadline has passed', () => {
    const [late, other] = [call({ deadlineMs: 10 }), call({ deadlineMs: 11 })];
    expect(queueOf(late, other).take(10)).toEqual([other]);
    expect(late.failure).toMatchObject({ code: 'deadline_exceeded' });
  });
});
