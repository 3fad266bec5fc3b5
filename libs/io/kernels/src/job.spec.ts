import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KV_DTYPES } from '@essaim/core';
import { JOB_ROWS } from './arena.ts';
import { type Job, JOB_INTEGERS, readJob, writeJob } from './job.ts';

/** Addresses beyond 2^31 too. */
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const span = fc.record({ row: word, count: word, first: word, bank: word, at: word, capacity: word, dtype: fc.constantFrom(...KV_DTYPES) });
const jobs: fc.Arbitrary<Job> = fc.oneof(
  fc.record({ kind: fc.constant('attend' as const), layer: word, bank: word, at: word, rows: word, sameInAnyChunk: fc.boolean(), spans: fc.array(span, { maxLength: JOB_ROWS }) }),
  fc.record({ kind: fc.constant('feed-forward' as const), layer: word, routed: fc.boolean(), bank: word, groups: fc.array(fc.record({ at: word, rows: word }), { maxLength: JOB_ROWS }) }),
  fc.record({ kind: fc.constant('head' as const), bank: word, at: word, rows: word }),
);

describe('a job', () => {
  it('is read as it was written, whatever was there before', () => {
    const words = new Uint32Array(JOB_INTEGERS);
    fc.assert(fc.property(jobs, (job) => {
      writeJob(job, words);
      expect(readJob(words)).toEqual(job);
    }));
  });

  it('of as many sequences, or experts, as there may be rows fits', () => {
    const words = new Uint32Array(JOB_INTEGERS);
    const spans = Array.from({ length: JOB_ROWS }, (_, row) => ({ row, count: 1, first: 7, bank: 1, at: 2 ** 32 - 64, capacity: 9, dtype: 'bf16' as const }));
    const attend: Job = { kind: 'attend', layer: 3, bank: 0, at: 2 ** 31, rows: JOB_ROWS, sameInAnyChunk: true, spans };
    writeJob(attend, words);
    expect(readJob(words)).toEqual(attend);
  });

  it('that is too large is a bug', () => {
    const groups = Array.from({ length: JOB_INTEGERS }, () => ({ at: 64, rows: 1 }));
    expect(() => writeJob({ kind: 'feed-forward', layer: 0, routed: true, bank: 0, groups }, new Uint32Array(JOB_INTEGERS))).toThrow('a job fits');
  });

  it('is none where there are messages', () => {
    const words = new Uint32Array(JOB_INTEGERS);
    writeJob({ kind: 'messages' }, words);
    expect(readJob(words)).toBeNull();
  });
});
