/** Values that share one scale. */
export const BLOCK_SIZE = 32;

export const QUANTISED_BITS = { int8: 8, int4: 4 } as const;
export type QuantisedDtype = keyof typeof QUANTISED_BITS;

/**
 * Matrices as ONNX Runtime's MatMulNBits takes them (com.microsoft, contrib operator documentation): blocks of 32 along a row, the
 * last one padded with zeros; value = (code - 2^(bits-1)) * scale; 4-bit codes in pairs, the first in the low half.
 */
export interface QuantisedRows {
  /** [rows, blocks, 4 * bits] */
  readonly codes: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
}

export const blocksPerRow = (columns: number): number => Math.ceil(columns / BLOCK_SIZE);
export const bytesPerBlock = (dtype: QuantisedDtype): number => (BLOCK_SIZE * QUANTISED_BITS[dtype]) / 8;

/** How scales are kept. They are rounded before codes are chosen, so that the codes are the best for the scale that is used. */
const ROUND = { f32: Math.fround, bf16: toBf16 } as const;
export type ScaleForm = keyof typeof ROUND;

export interface QuantiseOptions {
  readonly columns: number;
  readonly dtype: QuantisedDtype;
  /** Default: f32. Those of bf16 are float32 whose lower 16 bits are zeros. */
  readonly scales?: ScaleForm;
}

/** Quantises whole rows, [values.length / columns, columns]. Not finite values become codes of a not finite scale: NaN stays visible. */
export function quantiseRows(values: Float32Array, { columns, dtype, scales: scaleForm = 'f32' }: QuantiseOptions): QuantisedRows {
  const rows = values.length / columns;
  const blocks = blocksPerRow(columns);
  const codes = new Uint8Array(rows * blocks * bytesPerBlock(dtype));
  const scales = new Float32Array(rows * blocks);
  const [quantiseBlock, round] = [dtype === 'int8' ? int8Block : int4Block, ROUND[scaleForm]];
  for (let row = 0, block = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    for (let start = row * columns; start < end; start += BLOCK_SIZE, block++) {
      scales[block] = quantiseBlock(values, { start, end: Math.min(start + BLOCK_SIZE, end), round }, { codes, block });
    }
  }
  return { codes, scales };
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly round: (scale: number) => number;
}

/** Where the codes of a block go. */
interface BlockCodes {
  readonly codes: Uint8Array;
  readonly block: number;
}

/** Writes the codes of one block and returns its scale. */
type BlockQuantiser = (values: Float32Array, span: Span, to: BlockCodes) => number;

const int8Block: BlockQuantiser = (values, { start, end, round }, { codes, block }) => {
  const scale = round(Math.abs(extreme(values, start, end)) / 127);
  const inverse = inverseOf(scale);
  const first = block * BLOCK_SIZE - start;
  for (let index = start; index < end; index++) codes[first + index] = code(values[index]! * inverse, 128, 255);
  codes.fill(128, first + end, (block + 1) * BLOCK_SIZE);
  return scale;
};

/** Fractions of the usual scale that are tried: a little clipping of the largest value often makes all the others finer. */
const INT4_SHRINKS = [0.95, 0.9, 0.85];

/** The value of largest magnitude gets the code 0, which reaches farther than 15 (as llama.cpp's Q4_0 does). */
const int4Block: BlockQuantiser = (values, { start, end, round }, { codes, block }) => {
  // Adding 0 makes the -0 of a block of zeros a 0.
  const full = round(extreme(values, start, end) / -8 + 0);
  let scale = full;
  let least = int4Error(values, { start, end, round }, full);
  for (const shrink of INT4_SHRINKS) {
    const candidate = round(full * shrink);
    const error = int4Error(values, { start, end, round }, candidate);
    if (error < least) [least, scale] = [error, candidate];
  }
  const inverse = inverseOf(scale);
  const first = (block * BLOCK_SIZE) / 2;
  for (let pair = 0; pair < BLOCK_SIZE / 2; pair++) {
    const index = start + 2 * pair;
    const low = index < end ? code(values[index]! * inverse, 8, 15) : 8;
    const high = index + 1 < end ? code(values[index + 1]! * inverse, 8, 15) : 8;
    codes[first + pair] = low | (high << 4);
  }
  return scale;
};

/** Sum of squared differences. */
function int4Error(values: Float32Array, { start, end }: Span, scale: number): number {
  const inverse = inverseOf(scale);
  let error = 0;
  for (let index = start; index < end; index++) {
    const value = values[index]!;
    const difference = value - (code(value * inverse, 8, 15) - 8) * scale;
    error += difference * difference;
  }
  return error;
}

/** The value of largest magnitude, with its sign; NaN if there is one. */
function extreme(values: Float32Array, start: number, end: number): number {
  let most = 0;
  let least = 0;
  for (let index = start; index < end; index++) {
    const value = values[index]!;
    if (value > most) most = value;
    else if (value < least) least = value;
    else if (value !== value) return NaN;
  }
  return most > -least ? most : least;
}

const inverseOf = (scale: number): number => (scale === 0 ? 0 : 1 / scale);

/** Rounds to the nearest code around `zero`, half up. Codes are not negative, so cutting off the fraction is rounding down. */
function code(steps: number, zero: number, largest: number): number {
  const shifted = steps + zero + 0.5;
  return shifted <= 0 ? 0 : shifted >= largest ? largest : shifted | 0;
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The nearest bfloat16, to even where two are: the upper half of a float32. */
function toBf16(value: number): number {
  single[0] = value;
  const word = bits[0]!;
  // Rounding up carries into the exponent as it should; a NaN must not lose its last set bit, nor carry out of it.
  bits[0] = value === value ? (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000 : 0x7fc00000;
  return single[0]!;
}
