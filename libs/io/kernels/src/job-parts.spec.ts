import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JOB_ROWS } from './arena.ts';
import { attentionParts, spansWithin } from './attention-parts.ts';
import { feedForwardJobs } from './feed-forward-jobs.ts';
import { type JobSpan } from './job.ts';

/** The rows [first, first + count). */
const rows = (first: number, count: number): number[] => Array.from({ length: count }, (_, nth) => first + nth);

/** Spans one behind the other, of so many rows each. */
const spansOf = (counts: readonly number[]): JobSpan[] => {
  let row = 0;
  return counts.map((count, nth) => ({ row: (row += count) - count, count, first: 5 * nth, bank: nth % 2, at: 64 * nth, capacity: 100, dtype: 'f32' }));
};

const spans = fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 12 }).map(spansOf);

describe('the parts of attention', () => {
  it('have every row of every span once, at most so many each, the last ones of a span first', () => {
    fc.assert(fc.property(spans, fc.integer({ min: 1, max: 40 }), (all, most) => {
      const parts = attentionParts(all, most);
      for (const { count } of parts) expect([count > 0, count <= most]).toEqual([true, true]);
      for (const span of all) {
        const own = parts.filter((part) => part.span === span);
        expect(own.map(({ first }) => first)).toEqual(own.map(({ first }) => first).sort((a, b) => b - a));
        expect(own.toReversed().flatMap(({ first, count }) => rows(first, count))).toEqual(rows(0, span.count));
      }
      expect(new Set(parts.map(({ span }) => span)).size).toBe(all.length);
    }));
  });
});

describe('the spans within some rows', () => {
  it('have each of these rows once, in order', () => {
    fc.assert(fc.property(spans, fc.nat(200), fc.integer({ min: 0, max: 200 }), (all, row, count) => {
      const total = all.reduce((sum, span) => sum + span.count, 0);
      const within = spansWithin({ kind: 'attend', layer: 0, bank: 0, at: 0, rows: total, sameInAnyChunk: true, spans: all }, row, count);
      expect(within.flatMap(({ first, end }) => rows(first, end - first))).toEqual(rows(row, Math.max(0, Math.min(row + count, total) - row)));
      for (const { span, first, end } of within) expect([first >= span.row, first < end, end <= span.row + span.count]).toEqual([true, true, true]);
    }));
  });
});

describe('jobs of several networks', () => {
  it('have every row of every network once, in order, one bank each and no more rows than there is room for, in as few jobs as that allows', () => {
    const networks = fc.array(fc.record({ bank: fc.nat(2), rows: fc.oneof(fc.nat(5), fc.nat(3 * JOB_ROWS)) }), { maxLength: 10 });
    fc.assert(fc.property(networks, (all) => {
      const jobs = feedForwardJobs(all);
      const done = jobs.flat().flatMap(({ nth, row, count }) => rows(row, count).map((each) => [nth, each]));
      expect(done).toEqual(all.flatMap((network, nth) => rows(0, network.rows).map((each) => [nth, each])));
      const sizes = jobs.map((job) => job.reduce((sum, { count }) => sum + count, 0));
      const banks = jobs.map((job) => [...new Set(job.map(({ nth }) => all[nth]!.bank))]);
      for (const [nth, size] of sizes.entries()) {
        expect([size > 0, size <= JOB_ROWS, banks[nth]!.length]).toEqual([true, true, 1]);
        // Only a full one, or one before another bank's, has a next one.
        if (nth + 1 < jobs.length) expect(size === JOB_ROWS || banks[nth]![0] !== banks[nth + 1]![0]).toBe(true);
      }
    }));
  });
});
