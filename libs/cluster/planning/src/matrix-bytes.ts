/** Forms that weights may be planned in. Of these the engine runs float32, int8 and int4; the others are for hardware that is planned ahead of it. */
export const PLANNED_DTYPES = ['float32', 'bf16', 'fp8', 'int8', 'nvfp4', 'int4'] as const;
export type PlannedDtype = (typeof PLANNED_DTYPES)[number];

type Measure = (rows: number, columns: number) => number;

/** Rows are held in panels of 16, the last one filled up. */
const inPanels = (rows: number): number => 16 * Math.ceil(rows / 16);
/** int8 and int4 in blocks of 32 along a row with a bfloat16 scale each, as the engine holds them, the last block of a row filled up. */
const inBlocks = (bits: number): Measure => (rows, columns) => inPanels(rows) * Math.ceil(columns / 32) * (4 * bits + 2);

/** Bytes of a matrix [rows, columns]; fp8 with a float32 scale for each 128 x 128, nvfp4 with one of 8 bits for each 16 and one float32. */
export const MATRIX_BYTES: Readonly<Record<PlannedDtype, Measure>> = {
  float32: (rows, columns) => 4 * inPanels(rows) * columns,
  bf16: (rows, columns) => 2 * rows * columns,
  fp8: (rows, columns) => rows * columns + 4 * Math.ceil(rows / 128) * Math.ceil(columns / 128),
  int8: inBlocks(8),
  nvfp4: (rows, columns) => rows * Math.ceil(columns / 16) * (8 + 1) + 4,
  int4: inBlocks(4),
};
