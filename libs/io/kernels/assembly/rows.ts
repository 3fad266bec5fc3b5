/**
 * Rows arranged for the tiles. Rows stand in groups of `TILE`, the last group may have fewer. In a group of R rows, words of four bytes
 * alternate: [words][R]. Quantised rows have four codes a word, and behind them, per block, R scales (f32) and R starts (i32). A start is
 * what the sum of a block's products begins with: the base that makes the bits of the sum those of a float, less what the weights' codes
 * are too high by.
 */
import { INTEGER_BASE_BITS } from './constants';
import { BLOCK, blocksOf, quantisedStride, TILE } from './layout';

/** Bytes of one arranged quantised row. */
// @ts-ignore: decorator
@inline
export function arrangedBytes(blocks: i32): i32 {
  return blocks * (BLOCK + 8);
}

/** Arranges quantised rows of width k. `offset`: the code of a weight that means zero. */
export function arrangeQuantised(xq: usize, rows: i32, k: i32, offset: i32, to: usize): void {
  const stride = quantisedStride(k), blocks = blocksOf(k), codes = BLOCK * blocks;
  for (let row = 0; row < rows; row += TILE) {
    const count = min(TILE, rows - row);
    arrangeWords(xq, stride, count, codes / 4, to);
    arrangeScales(xq + codes, stride, count, blocks, offset, to + codes * count);
    xq += stride * count;
    to += arrangedBytes(blocks) * count;
  }
}

/**
 * `words` words of each of `count` rows that are `stride` bytes apart. Writes up to 12 bytes more than it should: a column of fewer than
 * four rows is written as four, and what is too much then overwritten.
 */
export function arrangeWords(from: usize, stride: i32, count: i32, words: i32, to: usize): void {
  const b = min(count - 1, 1) * stride, c = min(count - 1, 2) * stride, d = (count - 1) * stride;
  const step = 4 * count;
  let word = 0;
  for (; word + 4 <= words; word += 4) {
    const row0 = v128.load(from), row1 = v128.load(from + b), row2 = v128.load(from + c), row3 = v128.load(from + d);
    const left01 = v128.shuffle<i32>(row0, row1, 0, 4, 1, 5), left23 = v128.shuffle<i32>(row2, row3, 0, 4, 1, 5);
    const right01 = v128.shuffle<i32>(row0, row1, 2, 6, 3, 7), right23 = v128.shuffle<i32>(row2, row3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(left01, left23, 0, 2));
    v128.store(to + step, v128.shuffle<i64>(left01, left23, 1, 3));
    v128.store(to + 2 * step, v128.shuffle<i64>(right01, right23, 0, 2));
    v128.store(to + 3 * step, v128.shuffle<i64>(right01, right23, 1, 3));
    from += 16;
    to += 4 * step;
  }
  for (; word < words; word++) {
    for (let row = 0; row < count; row++) {
      store<u32>(to, load<u32>(from + row * stride));
      to += 4;
    }
    from += 4;
  }
}

function arrangeScales(from: usize, stride: i32, count: i32, blocks: i32, offset: i32, to: usize): void {
  for (let block = 0; block < blocks; block++) {
    for (let row = 0; row < count; row++) {
      const scale = from + row * stride;
      store<f32>(to + 4 * row, load<f32>(scale));
      store<i32>(to + 4 * (count + row), INTEGER_BASE_BITS - offset * load<i32>(scale, 4));
    }
    from += 8;
    to += 8 * count;
  }
}
