import { describe, expect, it } from 'vitest';
import { FailedElsewhere, JobIsOver, signalInts, SilentThread, TeamSignal } from './team-signal.ts';

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

/** The parts that a thread gets. */
const shared = (signal: TeamSignal, phase: number, parts: number): number[] => {
  const done: number[] = [];
  signal.share(phase, parts, (part) => done.push(part));
  return done;
};

describe('the parts of a phase', () => {
  it('are all done by one thread while no other comes, in each phase of each job', () => {
    const [own] = pair();
    for (let job = 0; job < 3; job++) {
      own.begin();
      expect([shared(own, 0, 3), shared(own, 1, 0), shared(own, 15, 2)]).toEqual([[0, 1, 2], [], [0, 1]]);
    }
  });

  it('that others did are not done again, and nobody who is late in the same job waits', () => {
    const [own, other] = pair();
    own.begin();
    other.awaitJob();
    expect([shared(own, 0, 3), shared(other, 0, 3), shared(other, 1, 2), shared(own, 1, 2)]).toEqual([[0, 1, 2], [], [0, 1], []]);
    expect([own.isOver, other.isOver]).toEqual([false, false]);
  });

  it('of a job that is over are refused', () => {
    const [own, other] = pair();
    own.begin();
    other.awaitJob();
    expect(shared(own, 0, 3)).toHaveLength(3);
    own.begin();
    expect(other.isOver).toBe(true);
    expect(() => shared(other, 0, 3)).toThrow(JobIsOver);
    other.done();
    other.awaitJob();
    expect(shared(other, 0, 3)).toHaveLength(3);
  });

  it('of more phases than there are counters for, or too many of one, are a bug', () => {
    const [own] = pair();
    own.begin();
    expect(() => shared(own, 16, 1)).toThrow('no more phases');
    expect(() => shared(own, 0, 1 << 15)).toThrow('no more parts');
  });
});

describe('the end of a job', () => {
  it('is shared in one of 4,096, so that no number is taken for another', () => {
    const [own] = pair({ after: -4096 });
    const sharing: number[] = [];
    for (let job = -4095; job <= 4097; job++) {
      own.begin();
      if (own.isEndShared) sharing.push(job);
    }
    expect(sharing).toEqual([0, 4096]);
  });

  it('is shared when a thread failed', () => {
    const [own, other] = pair();
    own.begin();
    other.awaitJob();
    other.fail();
    expect([own.hasFailed, own.isEndShared]).toEqual([true, true]);
  });
});

describe('a thread that does not come', () => {
  it('is not waited for for ever, neither within a part nor at the end', async () => {
    const [own, other] = pair({ waitMs: 1 });
    own.begin();
    other.awaitJob();
    other.share(0, 2, () => {
      expect(() => own.share(0, 2, () => undefined)).toThrow(SilentThread);
    });
    expect(() => own.awaitOthers()).toThrow('does not answer: restart the worker');
    await expect(own.othersDone()).rejects.toThrow(SilentThread);
  });

  it('because it failed is not waited for at all', () => {
    const [own, other] = pair();
    own.begin();
    other.awaitJob();
    expect(() => other.share(0, 2, () => { throw new Error('injected'); })).toThrow('injected');
    other.fail();
    other.done();
    expect(() => shared(own, 0, 2)).toThrow(FailedElsewhere);
    expect(() => shared(own, 1, 2)).toThrow(FailedElsewhere);
    own.awaitOthers();
    own.begin();
    other.awaitJob();
    other.done();
    own.awaitOthers();
  });
});
