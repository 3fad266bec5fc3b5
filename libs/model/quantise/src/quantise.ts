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
type Round = (scale: number) => number;

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
  const [{ scaleOf, encode }, round] = [BLOCKS[dtype], ROUND[scaleForm]];
  for (let row = 0, nth = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    for (let start = row * columns; start < end; start += BLOCK_SIZE, nth++) {
      fillBlock(values, start, Math.min(start + BLOCK_SIZE, end));
      const scale = scaleOf(round);
      scales[nth] = scale;
      encode(codes, { first: nth * bytesPerBlock(dtype), inverse: inverseOf(scale) });
    }
  }
  return { codes, scales };
}

/** The values of the block at hand: loops over an array of a known length are the fastest, and what a last block lacks is zeros. */
const block = new Float32Array(BLOCK_SIZE);

function fillBlock(values: Float32Array, start: number, end: number): void {
  for (let index = start; index < end; index++) block[index - start] = values[index]!;
  if (end - start < BLOCK_SIZE) block.fill(0, end - start);
}

/** What a dtype does with the block at hand. */
interface BlockForm {
  readonly scaleOf: (round: Round) => number;
  /** Writes the codes from `first` on; `inverse` is that of the scale. */
  readonly encode: (codes: Uint8Array, place: { readonly first: number; readonly inverse: number }) => void;
}

const BLOCKS: Readonly<Record<QuantisedDtype, BlockForm>> = {
  int8: {
    scaleOf: (round) => round(Math.abs(extreme()) / 127),
    encode: (codes, { first, inverse }) => {
      for (let index = 0; index < BLOCK_SIZE; index++) codes[first + index] = code(block[index]! * inverse, 128, 255);
    },
  },
  int4: {
    // The value of largest magnitude gets the code 0, which reaches farther than 15 (as llama.cpp's Q4_0 does). Adding 0 makes the -0 of a block of zeros a 0.
    scaleOf: (round) => bestInt4Scale(round(extreme() / -8 + 0), round),
    encode: (codes, { first, inverse }) => {
      for (let pair = 0; pair < BLOCK_SIZE / 2; pair++) codes[first + pair] = code(block[2 * pair]! * inverse, 8, 15) | (code(block[2 * pair + 1]! * inverse, 8, 15) << 4);
    },
  },
};

/**
 * The scale of least squared error, of the full one and some fractions of it: a little clipping of the largest value often makes all the
 * others finer. All are tried in one pass, since the steps of one wait for each other.
 */
function bestInt4Scale(full: number, round: Round): number {
  const [one, two, three] = [round(full * 0.95), round(full * 0.9), round(full * 0.85)];
  const [perFull, perOne, perTwo, perThree] = [inverseOf(full), inverseOf(one), inverseOf(two), inverseOf(three)];
  let [fullError, oneError, twoError, threeError] = [0, 0, 0, 0];
  for (let index = 0; index < BLOCK_SIZE; index++) {
    const value = block[index]!;
    fullError += square(value - (code(value * perFull, 8, 15) - 8) * full);
    oneError += square(value - (code(value * perOne, 8, 15) - 8) * one);
    twoError += square(value - (code(value * perTwo, 8, 15) - 8) * two);
    threeError += square(value - (code(value * perThree, 8, 15) - 8) * three);
  }
  let [scale, least] = [full, fullError];
  if (oneError < least) [scale, least] = [one, oneError];
  if (twoError < least) [scale, least] = [two, twoError];
  return threeError < least ? three : scale;
}

const square = (value: number): number => value * value;

/** The value of largest magnitude, with its sign, the negative one of two; NaN if there is one. */
function extreme(): number {
  let most = 0;
  let least = 0;
  for (let index = 0; index < BLOCK_SIZE; index++) {
    const value = block[index]!;
    most = Math.max(most, value);
    least = Math.min(least, value);
  }
  return most > -least ? most : least;
}

const inverseOf = (scale: number): number => (scale === 0 ? 0 : 1 / scale);

/** Rounds to the nearest code around `zero`, half up. What is not below 0 is rounded down by cutting off its fraction. */
const code = (steps: number, zero: number, largest: number): number => Math.min(Math.max((steps + zero + 0.5) | 0, 0), largest);

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
