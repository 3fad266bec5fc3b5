import { describe, expect, it } from 'vitest';
import { FailedElsewhere, signalInts, SilentThread, TeamSignal } from './team-signal.ts';

const LARGEST = 2 ** 31 - 1;

function pair(options: { readonly after?: number; readonly waitMs?: number } = {}): readonly [TeamSignal, TeamSignal] {
  const ints = new Int32Array(new SharedArrayBuffer(4 * signalInts(2)));
  return [new TeamSignal({ ints, thread: 0, threads: 2, ...options }), new TeamSignal({ ints, thread: 1, threads: 2, ...options })];
}

describe('the numbers of jobs', () => {
  it.each([LARGEST - 2, -3, 0])('go on past the largest, and past zero: after %i', async (after) => {
    const [own, other] = pair({ after });
    for (let job = 0; job < 5; job++) {
      own.begin();
      other.awaitJob();
      other.done();
      own.awaitOthers();
      await own.othersDone();
    }
  });

  it('are found by a thread that comes after the first job began', () => {
    const ints = new Int32Array(new SharedArrayBuffer(4 * signalInts(2)));
    const own = new TeamSignal({ ints, thread: 0, threads: 2, after: LARGEST });
    own.begin();
    const other = new TeamSignal({ ints, thread: 1, threads: 2, after: LARGEST });
    other.awaitJob();
    other.done();
    own.awaitOthers();
  });
});

describe('the parts of a phase', () => {
  it('begin at 0 in each phase of each job', () => {
    const [own, other] = pair();
    for (let job = 0; job < 2; job++) {
      own.begin();
      expect([own.take(0), other.take(0), own.take(0), other.take(15), own.take(15)]).toEqual([0, 1, 2, 0, 1]);
    }
  });

  it('of more phases than there are counters for are a bug', () => {
    const [own] = pair();
    own.begin();
    expect(() => own.take(16)).toThrow('no more phases');
  });
});

describe('a thread that does not come', () => {
  it('is not waited for for ever, neither at a barrier nor at the end', async () => {
    const [own, other] = pair({ waitMs: 1 });
    own.begin();
    other.awaitJob();
    expect(() => own.meet()).toThrow(SilentThread);
    expect(() => own.awaitOthers()).toThrow('does not answer: restart the worker');
    await expect(own.othersDone()).rejects.toThrow(SilentThread);
  });

  it('because it failed is not waited for at all', () => {
    const [own, other] = pair();
    own.begin();
    other.awaitJob();
    other.fail();
    other.done();
    expect(() => own.meet()).toThrow(FailedElsewhere);
    expect(() => own.meet()).toThrow(FailedElsewhere);
    own.awaitOthers();
    own.begin();
    other.awaitJob();
    other.done();
    own.awaitOthers();
  });
});
