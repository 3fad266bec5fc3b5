/** How a linear call lays out the scratch of its thread: the sums of a tile, one decoded panel, the arranged rows of a chunk. */
import { blocksOf, CHUNK } from './layout';
import { arrangedBytes } from './rows';
import { byteBlock, SUMS_BYTES } from './tile';

/** The most addends that a byte code is split into. */
export const MOST_ADDENDS: i32 = 3;

/** What arranging may write behind its place. */
const OVERRUN: i32 = 12;

/** Bytes of scratch that any linear call with `rows` rows of width k needs. */
export function linearScratchBytes(k: i32, rows: i32): i32 {
  const arranged = min(rows, CHUNK);
  const quantised = blocksOf(k) * byteBlock(MOST_ADDENDS) + arranged * arrangedBytes(blocksOf(k), MOST_ADDENDS);
  return (SUMS_BYTES + max(quantised, 4 * k * arranged) + OVERRUN + 63) & -64;
}
