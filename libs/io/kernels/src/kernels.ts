/**
 * What the WebAssembly module exports, see `../assembly`. Pointers are byte addresses in the memory of the instance, counts are numbers of
 * elements, strides are in floats. Nothing is checked here: a wrong address computes nonsense or traps.
 */
export interface Kernels {
  /** Writes the constants at the addresses 64 to 1023. Once per memory, before any other call. */
  initConstants(): void;

  /** What the CPU's dot instruction makes of bytes above 127: 0 unsigned, 1 signed, 2 neither exactly. */
  probeDot(): number;
  /** Makes `linear4` and `linear8` on this memory take the form for such a CPU; all forms give the same bits where they are right, and 2 is everywhere. */
  setDotForm(form: number): void;

  /** f32 x [rows, k] to quantised rows of `quantisedStride(k)` bytes: int8 codes, then {f32 scale, i32 sum of codes} per block of 32. */
  quantise(x: number, rows: number, k: number, xStride: number, out: number): void;
  /** The same for the blocks `firstBlock` to `endBlock - 1` of each row. */
  quantiseColumns(x: number, rows: number, k: number, xStride: number, out: number, firstBlock: number, endBlock: number): void;

  /** Bytes that the `scratch` of a linear call needs; it is the calling thread's own. */
  linearScratchBytes(k: number, rows: number): number;
  /** out[r * outStride + c] = x W^T for the columns 16 firstPanel to 16 endPanel - 1 of int4 weights; w is the address of panel 0. */
  linear4(w: number, xq: number, rows: number, k: number, firstPanel: number, endPanel: number, out: number, outStride: number, scratch: number): void;
  /** The same for int8 weights. */
  linear8(w: number, xq: number, rows: number, k: number, firstPanel: number, endPanel: number, out: number, outStride: number, scratch: number): void;
  /** The same for float32 weights and float32 rows. */
  linear32(w: number, x: number, rows: number, k: number, xStride: number, firstPanel: number, endPanel: number, out: number, outStride: number, scratch: number): void;

  /** Bytes that the `scratch` of `pack4` and `pack8` needs, aligned to 16; it is the calling thread's own. */
  packScratchBytes(): number;
  /** f32 values [rows, k] as int4 panels, with zeros for the rows that the last one lacks: the bytes that `interleave` of libs/model/panels gives. */
  pack4(values: number, rows: number, k: number, out: number, scratch: number): void;
  /** The same as int8 panels. */
  pack8(values: number, rows: number, k: number, out: number, scratch: number): void;

  /** out = x / sqrt(mean(x^2) + epsilon) * weight, row by row; out may be x. */
  rmsNorm(x: number, weight: number, epsilon: number, out: number, rows: number, width: number, xStride: number, outStride: number): void;
  /** out = a + b */
  add(a: number, b: number, out: number, count: number): void;
  /** out += scale * x */
  addScaled(out: number, x: number, scale: number, count: number): void;
  /** Copies rows of `width` floats. */
  copyRows(from: number, fromStride: number, to: number, toStride: number, rows: number, width: number): void;
  /** The same, as bfloat16: rounded to nearest even, NaN stays NaN. `width` is a multiple of 4, strides are in numbers. */
  copyRowsBf16(from: number, fromStride: number, to: number, toStride: number, rows: number, width: number): void;
  /** Copies rows of bfloat16 as float32. `width` is a multiple of 4, strides are in numbers. */
  widenRowsBf16(from: number, fromStride: number, to: number, toStride: number, rows: number, width: number): void;
  /** out = silu(gate) * up, each [rows, width]; a value's bits don't depend on which columns a call computes. out may be gate or up. */
  swiglu(gate: number, up: number, out: number, rows: number, width: number, gateStride: number, upStride: number, outStride: number): void;

  /**
   * Rotary positions in place: of each head of x [rows, heads, headSize] the `rotary` floats from `rotaryOffset` on turn by their row's angles.
   * cos, sin: [rows, rotary / 2]; scale: the address of one float per row that its heads are multiplied by first, or 0. Value i turns with i + rotary / 2.
   */
  rotateHalves(x: number, heads: number, headSize: number, rotary: number, rotaryOffset: number, rows: number, stride: number, headStride: number, cos: number, sin: number, scale: number): void;
  /** The same where value 2i turns with value 2i + 1. */
  rotatePairs(x: number, heads: number, headSize: number, rotary: number, rotaryOffset: number, rows: number, stride: number, headStride: number, cos: number, sin: number, scale: number): void;

  /** Bytes that the `scratch` of `attention` needs, aligned to 16; it is the calling thread's own. */
  attentionScratchBytes(rows: number, heads: number, keySize: number): number;
  /**
   * out = softmax(scoreScale q keys^T) values for `heads` query heads that share a key-value head, and `rows` positions from `first` on, each of which
   * sees itself and what is before it, at most `window` positions (0: all). Sizes and strides are multiples of 4, scoreScale is positive. Row r, head h is at
   * q + 4 (r qStride + h keySize) and out + 4 (r outStride + h valueSize); position p at keys + 4 p keyStride and values + 4 p valueStride.
   * A row's bits depend on nothing but its own query and what it sees.
   */
  attention(
    q: number, qStride: number, out: number, outStride: number, rows: number, first: number, heads: number, keySize: number, valueSize: number,
    keys: number, keyStride: number, values: number, valueStride: number, window: number, scoreScale: number, scratch: number,
  ): void;
  /** The same with keys and values of bfloat16, position p at keys + 2 p keyStride and values + 2 p valueStride: the bits that these numbers give as float32. */
  attentionBf16(
    q: number, qStride: number, out: number, outStride: number, rows: number, first: number, heads: number, keySize: number, valueSize: number,
    keys: number, keyStride: number, values: number, valueStride: number, window: number, scoreScale: number, scratch: number,
  ): void;

  /** Bytes that the `scratch` of `heads` heads needs that take turns, aligned to 16; it is the calling thread's own. */
  headsScratchBytes(rows: number, heads: number, keySize: number): number;
  /**
   * Attention of a head whose keys and values are made in chunks of 64 positions: this, then `meetChunk` for every chunk from position 0 on that some row sees, then `finishHead`.
   * `nth`: its number among the heads that share the scratch. The bits that `attention` gives for such keys and values.
   */
  beginHead(nth: number, q: number, qStride: number, out: number, outStride: number, rows: number, keySize: number, valueSize: number, scratch: number): void;
  /** keys, values: of the positions from `chunk` on, float32. */
  meetChunk(
    nth: number, chunk: number, rows: number, first: number, keySize: number, valueSize: number, keys: number, keyStride: number, values: number, valueStride: number, scoreScale: number, scratch: number,
  ): void;
  finishHead(nth: number, rows: number, keySize: number, valueSize: number, scratch: number): void;
}
