/**
 * Quantised rows arranged for the tiles. Rows stand in groups of `TILE`, the last group may have fewer. A group of R rows has first its
 * codes, for every four k's [R][4 bytes]; then, per block, R scales (f32) and R starts (i32). A start is what the sum of a block's products
 * begins with: what the codes of the weights are too high by, and the base that makes the bits of the sum those of a float.
 */
import { INTEGER_BASE_BITS } from './constants';
import { BLOCK, blocksOf, quantisedStride, TILE } from './layout';

/** Bytes of one arranged row, of which each group of four k's stands `repeat` times. */
// @ts-ignore: decorator
@inline
export function arrangedBytes(blocks: i32, repeat: i32): i32 {
  return blocks * (BLOCK * repeat + 8);
}

/** xq: quantised rows. `offset`: the weight code that means zero. Rows of one group follow those of the other at `arrangedBytes` a row. */
export function arrange(xq: usize, rows: i32, k: i32, offset: i32, repeat: i32, to: usize): void {
  const stride = quantisedStride(k), blocks = blocksOf(k);
  for (let row = 0; row < rows; row += TILE) {
    const count = min(TILE, rows - row);
    const codes = BLOCK * blocks;
    arrangeCodes(xq, stride, count, codes, repeat, to);
    arrangeScales(xq + codes, stride, count, blocks, offset, to + codes * repeat * count);
    xq += stride * count;
    to += arrangedBytes(blocks, repeat) * count;
  }
}

function arrangeCodes(xq: usize, stride: i32, count: i32, codes: i32, repeat: i32, to: usize): void {
  for (let i = 0; i < codes; i += 4) {
    for (let again = 0; again < repeat; again++) {
      for (let row = 0; row < count; row++) {
        store<u32>(to, load<u32>(xq + row * stride + i));
        to += 4;
      }
    }
  }
}

function arrangeScales(from: usize, stride: i32, count: i32, blocks: i32, offset: i32, to: usize): void {
  for (let block = 0; block < blocks; block++) {
    for (let row = 0; row < count; row++) {
      const scale = from + row * stride + 8 * block;
      store<f32>(to + 4 * row, load<f32>(scale));
      store<i32>(to + 4 * (count + row), INTEGER_BASE_BITS - offset * load<i32>(scale, 4));
    }
    to += 8 * count;
  }
}
