import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ComputeJob, readJob, writeJob } from './compute-job.ts';

const integer = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const output = fc.record({ at: integer, stride: integer });
const anyJob: fc.Arbitrary<ComputeJob> = fc.oneof(
  fc.constant({ kind: 'messages' as const }),
  fc.record({
    kind: fc.constant('attend' as const), layer: integer, rows: integer, even: fc.boolean(), stepId: fc.integer(), hiddenAt: integer, cosAt: integer, sinAt: integer, queryScaleAt: integer, output,
    spans: fc.array(fc.record({ cacheId: fc.integer(), row: integer, count: integer, first: integer }), { maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('feed-forward' as const), layer: integer, output, groups: fc.array(fc.record({ expert: fc.option(integer), rows: integer, inputAt: integer }), { maxLength: 256 }) }),
  fc.record({ kind: fc.constant('head' as const), rows: integer, inputAt: integer, output }),
);

it('a job is read as it was written, whatever was written there before', () => {
  const integers = new Int32Array(1 << 11);
  fc.assert(fc.property(anyJob, (job) => {
    writeJob(job, integers);
    expect(readJob(integers)).toEqual(job);
  }));
});

it('a job that does not fit is a bug, not a job of something else', () => {
  const groups = Array.from({ length: 8 }, (_, expert) => ({ expert, rows: 1, inputAt: 0 }));
  expect(() => writeJob({ kind: 'feed-forward', layer: 0, groups, output: { at: 0, stride: 0 } }, new Int32Array(16))).toThrow('assertion failed');
});
