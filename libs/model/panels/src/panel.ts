/** Columns of a result, that is rows of the matrix, that lie side by side. */
export const PANEL = 16;
/** Values along a row that share one scale. */
export const BLOCK = 32;

/**
 * How a matrix W [n, k] lies for y = x W^T: in panels of 16 of its rows, the last one filled up with rows of zeros.
 *
 * - `float32`: for each k, 16 floats.
 * - `int8`: for each block of 32 k, for each 4 k, for each of the 16 rows: 4 bytes of value / scale + 128. Then 16 scales.
 * - `int4`: for each block of 32 k, for each 8 k, for each of the 16 rows: 4 bytes, of which byte i has k = i in its low half and
 *   k = 4 + i in its high half, each value / scale + 8. Then 16 scales.
 *
 * Scales are bfloat16. What a last block has no k for is zeros, written as 128 and 8.
 */
export const PANEL_FORMS = ['float32', 'int8', 'int4'] as const;
export type PanelForm = (typeof PANEL_FORMS)[number];

/** Bytes of the codes of one block of one row. */
const CODE_BYTES = { int8: BLOCK, int4: BLOCK / 2 } as const;
const BF16_BYTES = 2;
const F32_BYTES = 4;
/** Of quantised activations: a scale and the sum of the codes. */
const BLOCK_SUMMARY_BYTES = 8;
/** Every tensor and every row of quantised activations begins at a multiple: no vector of a kernel crosses two cache lines. */
const ALIGNMENT_BYTES = 64;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

/** Panels of a matrix with so many rows. */
export const panelsOf = (rows: number): number => Math.ceil(rows / PANEL);
export const blocksOf = (columns: number): number => Math.ceil(columns / BLOCK);

/** Of one block of a quantised panel: 544 at int8, 288 at int4. */
export const blockBytes = (form: 'int8' | 'int4'): number => PANEL * (CODE_BYTES[form] + BF16_BYTES);

/** Of one panel of a matrix with so many columns: how far the next one is. */
export const panelBytes = (form: PanelForm, columns: number): number => (form === 'float32' ? columns * PANEL * F32_BYTES : blocksOf(columns) * blockBytes(form));

/** How far one row of quantised activations is from the next, in bytes: signed codes in whole blocks, then for each block {f32 scale, i32 sum of the codes}. */
export const quantisedStride = (columns: number): number => aligned(blocksOf(columns) * (BLOCK + BLOCK_SUMMARY_BYTES));
