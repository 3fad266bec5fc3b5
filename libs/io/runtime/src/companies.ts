import { type AttentionSpan, visibilityOf } from '@essaim/runner';
import { TENSORS_AT_ONCE } from './plain-graphs.ts';

/** Sequences of a step whose attention is computed at once. */
export interface Company {
  /** Whether each has one row, and keeps tokens already: then they keep them together, padded to the longest. */
  readonly single: boolean;
  readonly spans: readonly AttentionSpan[];
}

/** Keys and values of single rows that are kept together are padded by a third of what they are, at most. */
const LONGEST_TO_SHORTEST = 4 / 3;

/** @param mostTokens of a company of single rows, all its sequences padded to the longest */
export function companiesOf(spans: readonly AttentionSpan[], mostTokens: number): Company[] {
  const isSingle = ({ count, cache: { length } }: AttentionSpan): boolean => count === 1 && length > 0;
  const others = spans.filter((span) => !isSingle(span));
  const companies: Company[] = [];
  for (let first = 0; first < others.length; first += TENSORS_AT_ONCE) companies.push({ single: false, spans: others.slice(first, first + TENSORS_AT_ONCE) });
  // Those of one length stay in the order of the step, which is the order in which they are kept: a step like the one before moves nothing.
  const byLength = spans.filter(isSingle).sort((a, b) => b.cache.length - a.cache.length);
  for (let first = 0; first < byLength.length; ) {
    const longest = byLength[first]!.cache.length;
    let end = first + 1;
    while (end < byLength.length && byLength[end]!.cache.length * LONGEST_TO_SHORTEST >= longest && (end - first + 1) * (longest + 1) <= mostTokens) end++;
    companies.push({ single: true, spans: byLength.slice(first, end).sort((a, b) => a.row - b.row) });
    first = end;
  }
  return companies;
}

export interface Mask {
  /** 0 or -Infinity. */
  readonly values: Float32Array;
  /** Rows and tokens. */
  readonly dims: readonly [number, number];
}

/** Of several rows' sequences a mask each. Of single rows one for all, a line each, or none where they see all tokens that are kept, and the newest. */
export function maskOf({ single, spans }: Company, slidingWindow: number | null): Mask[] {
  if (single) return masksOfSingles(spans.map(({ cache: { length } }) => length + 1), slidingWindow ?? Infinity);
  return spans.map(({ count, cache: { length } }) => {
    const { mask, end } = visibilityOf(length, count, { slidingWindow, fromStart: true });
    return { values: mask ?? new Float32Array(count * end), dims: [count, end] };
  });
}

/** @param lengths with the newest token */
function masksOfSingles(lengths: readonly number[], window: number): Mask[] {
  const tokens = Math.max(...lengths);
  const seen = lengths.map((length) => Math.min(length, window));
  if (seen.every((count) => count === tokens)) return [];
  const values = new Float32Array(lengths.length * tokens);
  for (const [row, count] of seen.entries()) values.fill(-Infinity, row * tokens, (row + 1) * tokens - count);
  return [{ values, dims: [lengths.length, tokens] }];
}
