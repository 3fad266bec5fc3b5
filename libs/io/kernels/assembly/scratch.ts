/** How a linear call lays out the scratch of its thread: the sums of a tile or strip, then the arranged rows of a chunk. */
import { blocksOf, CHUNK } from './layout';
import { arrangedBytes } from './rows';
import { SUMS_BYTES } from './sums';

/** What arranging may write behind its place. */
const OVERRUN: i32 = 12;

/** Bytes of scratch that any linear call with `rows` rows of width k needs. */
export function linearScratchBytes(k: i32, rows: i32): i32 {
  return (SUMS_BYTES + min(rows, CHUNK) * max(arrangedBytes(blocksOf(k)), 4 * k) + OVERRUN + 63) & -64;
}
