import { type AttendJob, type JobSpan } from './job.ts';

/** Query rows that one call of attention takes: few enough that all threads have a part, enough to read keys for many rows at once. */
export const ATTENTION_ROWS = 32;

/** Rows [first, end) of a job that belong to a span. */
export interface SpanRows {
  readonly span: JobSpan;
  readonly first: number;
  readonly end: number;
}

/** Whose the rows [row, row + count) of a job are. */
export function spansWithin({ spans }: AttendJob, row: number, count: number): SpanRows[] {
  return spans.flatMap((span) => {
    const [first, end] = [Math.max(row, span.row), Math.min(row + count, span.row + span.count)];
    return first < end ? [{ span, first, end }] : [];
  });
}

/** Rows of a span: from its row `first` on. */
export interface AttentionPart {
  readonly span: JobSpan;
  readonly first: number;
  readonly count: number;
}

/** Every span in parts of `most` rows, of each span the last ones first, since they see most. */
export function attentionParts(spans: readonly JobSpan[], most: number): AttentionPart[] {
  return spans.flatMap((span) => {
    const parts = Math.ceil(span.count / most);
    return Array.from({ length: parts }, (_, nth) => {
      const first = (parts - 1 - nth) * most;
      return { span, first, count: Math.min(most, span.count - first) };
    });
  });
}
