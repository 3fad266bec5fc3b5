/** Shapes that weights, quantised activations and scratch share. Counts are of numbers, sizes of bytes. */

/** Columns of a panel: so many rows of a weight lie beside each other. */
export const PANEL: i32 = 16;
/** Consecutive k's that share a scale. */
export const BLOCK: i32 = 32;
/** Rows of activations that one pass over a panel takes. */
export const TILE: i32 = 4;
/** Rows that are arranged for the tiles at once: what they take in the scratch stays in the second-level cache. */
export const CHUNK: i32 = 64;

// @ts-ignore: decorator
@inline
export function blocksOf(k: i32): i32 {
  return (k + BLOCK - 1) / BLOCK;
}

/** Bytes of one quantised row: the codes of whole blocks, then {f32 scale, i32 sum of the codes} per block, to a multiple of 64. */
export function quantisedStride(k: i32): i32 {
  return (blocksOf(k) * (BLOCK + 8) + 63) & -64;
}
