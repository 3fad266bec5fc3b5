/**
 * Rows arranged for the tiles. Rows stand in groups of `TILE`, the last group may have fewer. In a group of R rows, words of four bytes
 * alternate: [words][R]. Quantised rows have four codes a word, and behind them, per block, R scales (f32) and R starts (i32). A start is
 * what the sum of a block's products begins with: the base that makes the bits of the sum those of a float, less what the weights' codes
 * are too high by.
 */
import { INTEGER_BASE_BITS } from './constants';
import { BLOCK, blocksOf, quantisedStride, TILE } from './layout';

/** Bytes of one arranged quantised row, of which each word stands `repeat` times. */
// @ts-ignore: decorator
@inline
export function arrangedBytes(blocks: i32, repeat: i32): i32 {
  return blocks * (BLOCK * repeat + 8);
}

/** Arranges quantised rows of width k. `offset`: the code of a weight that means zero. */
export function arrangeQuantised(xq: usize, rows: i32, k: i32, offset: i32, repeat: i32, to: usize): void {
  const stride = quantisedStride(k), blocks = blocksOf(k), codes = BLOCK * blocks;
  for (let row = 0; row < rows; row += TILE) {
    const count = min(TILE, rows - row);
    if (repeat == 1) arrangeWords(xq, stride, count, codes / 4, to);
    else repeatWords(xq, stride, count, codes / 4, repeat, to);
    arrangeScales(xq + codes, stride, count, blocks, offset, to + codes * repeat * count);
    xq += stride * count;
    to += arrangedBytes(blocks, repeat) * count;
  }
}

/** `words` words of each of `count` rows that are `stride` bytes apart. */
export function arrangeWords(from: usize, stride: i32, count: i32, words: i32, to: usize): void {
  let word = 0;
  if (count == TILE) {
    for (; word + 4 <= words; word += 4) {
      transpose(from, stride, to);
      from += 16;
      to += 64;
    }
  }
  repeatWords(from, stride, count, words - word, 1, to);
}

/** Four words of four rows. */
// @ts-ignore: decorator
@inline
function transpose(from: usize, stride: i32, to: usize): void {
  const a = v128.load(from), b = v128.load(from + stride), c = v128.load(from + 2 * stride), d = v128.load(from + 3 * stride);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7), gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(ef, gh, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(ef, gh, 1, 3), 48);
}

function repeatWords(from: usize, stride: i32, count: i32, words: i32, repeat: i32, to: usize): void {
  for (let word = 0; word < words; word++) {
    for (let again = 0; again < repeat; again++) {
      for (let row = 0; row < count; row++) {
        store<u32>(to, load<u32>(from + row * stride));
        to += 4;
      }
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
