import { expect, it } from 'vitest';
import { type AttentionSpan } from '@essaim/runner';
import { companiesOf, maskOf } from './companies.ts';

/** Sequences of such lengths with such numbers of rows, one behind the other. */
function spansOf(...sequences: readonly (readonly [length: number, count: number])[]): AttentionSpan[] {
  let row = 0;
  return sequences.map(([length, count]) => {
    const span = { cache: { length } as AttentionSpan['cache'], row, count };
    row += count;
    return span;
  });
}

const rowsOf = (spans: readonly AttentionSpan[], mostTokens = Infinity): unknown => companiesOf(spans, mostTokens).map(({ single, spans: own }) => [single ? 'single' : 'others', ...own.map(({ row }) => row)]);

it('puts single rows together, in their order, unless one is much longer than another', () => {
  expect(rowsOf(spansOf([90, 1], [100, 1], [80, 1], [75, 1]))).toEqual([['single', 0, 1, 2, 3]]);
  expect(rowsOf(spansOf([10, 1], [100, 1], [11, 1], [75, 1]))).toEqual([['single', 1, 3], ['single', 0, 2]]);
});

it('puts no more together than a tensor holds', () => {
  expect(rowsOf(spansOf([99, 1], [99, 1], [99, 1]), 200)).toEqual([['single', 0, 1], ['single', 2]]);
  expect(rowsOf(spansOf([99, 1]), 50)).toEqual([['single', 0]]);
});

it('takes prompts, and answers that begin, by themselves', () => {
  expect(rowsOf(spansOf([5, 1], [0, 3], [0, 1], [6, 1]))).toEqual([['others', 1, 4], ['single', 0, 5]]);
});

it('hides from single rows what is not theirs, and what is behind their window', () => {
  const [company] = companiesOf(spansOf([3, 1], [4, 1]), Infinity);
  expect(maskOf(company!, null)).toEqual([{ values: Float32Array.of(-Infinity, 0, 0, 0, 0, 0, 0, 0, 0, 0), dims: [2, 5] }]);
  expect(maskOf(company!, 2)).toEqual([{ values: Float32Array.of(-Infinity, -Infinity, -Infinity, 0, 0, -Infinity, -Infinity, -Infinity, 0, 0), dims: [2, 5] }]);
  expect(maskOf(companiesOf(spansOf([4, 1], [4, 1]), Infinity)[0]!, null)).toEqual([]);
});

it('has a mask for each of the others', () => {
  expect(maskOf(companiesOf(spansOf([1, 2]), Infinity)[0]!, null)).toEqual([{ values: Float32Array.of(0, 0, -Infinity, 0, 0, 0), dims: [2, 3] }]);
});
