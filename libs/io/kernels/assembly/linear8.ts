import { DOT_FORM, HIGH_BITS } from './constants';
import { SIGNED, UNSIGNED } from './dot';
import { BLOCK, blocksOf, CHUNK, PANEL, quantisedStride } from './layout';
import { arrangeQuantised } from './rows';
import { MOST_ADDENDS } from './scratch';
import { byteBlock, SUMS_BYTES, tiles } from './tile';

/** The code that means zero. */
const OFFSET: i32 = 128;

/**
 * x W^T for int8 weights; arguments as in `linear4`. The dot instruction is specified for weights of at most 7 bits. Where it takes bytes
 * above as unsigned, the codes are its operand as they are; where as signed, codes less 128 are; elsewhere a code is split into three
 * addends of at most 7 bits, and each group of activations stands thrice. All forms give the same bits.
 */
export function linear8(w: usize, xq: usize, rows: i32, k: i32, firstPanel: i32, endPanel: i32, out: usize, outStride: i32, scratch: usize): void {
  const form = load<i32>(DOT_FORM);
  const blocks = blocksOf(k);
  const offset = form == SIGNED ? 0 : OFFSET;
  const addends = form == UNSIGNED || form == SIGNED ? 1 : MOST_ADDENDS;
  const panel = scratch + SUMS_BYTES, arranged = panel + blocks * byteBlock(addends);
  for (let row = 0; row < rows; row += CHUNK) {
    const count = min(CHUNK, rows - row);
    arrangeQuantised(xq + row * quantisedStride(k), count, k, offset, addends, arranged);
    for (let p = firstPanel; p < endPanel; p++) {
      let codes = w + p * blocks * byteBlock(1);
      if (form != UNSIGNED) {
        if (form == SIGNED) makeSigned(codes, blocks, panel);
        else split(codes, blocks, panel);
        codes = panel;
      }
      tiles(false, codes, arranged, count, blocks, addends, out + 4 * (row * outStride + p * PANEL), outStride, scratch);
    }
  }
}

/** Codes less 128, as signed bytes. */
function makeSigned(w: usize, blocks: i32, to: usize): void {
  const high = v128.load32_splat(HIGH_BITS);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < PANEL * BLOCK; i += 16) v128.store(to + i, v128.xor(v128.load(w + i), high));
    memory.copy(to + PANEL * BLOCK, w + PANEL * BLOCK, 2 * PANEL);
    w += byteBlock(1);
    to += byteBlock(1);
  }
}

/** Codes as sums of three addends: the low seven bits, and the high bit as 64 + 64. */
function split(w: usize, blocks: i32, to: usize): void {
  const high = v128.load32_splat(HIGH_BITS);
  for (let block = 0; block < blocks; block++) {
    for (let group = 0; group < BLOCK; group += 4) {
      for (let i = 0; i < 4 * PANEL; i += 16) {
        const codes = v128.load(w + i);
        const half = i16x8.shr_u(v128.and(codes, high), 1);
        v128.store(to + i, v128.andnot(codes, high));
        v128.store(to + i, half, 4 * PANEL);
        v128.store(to + i, half, 8 * PANEL);
      }
      w += 4 * PANEL;
      to += 4 * PANEL * MOST_ADDENDS;
    }
    memory.copy(to, w, 2 * PANEL);
    w += 2 * PANEL;
    to += 2 * PANEL;
  }
}
