import { addProducts } from './products';
import { STATE_BYTES, beginSoftmax, softmax, sumOfWeights } from './softmax';
import { PANEL, transpose } from './transpose';

/** Positions are met in chunks that begin at multiples of this, whatever rows a call computes: a row's sums always run in the same order. */
const CHUNK = 64;
const WEIGHTS_BYTES: usize = 4 * CHUNK;

/** Scratch: a chunk's keys, then CHUNK weights a head, then a state for each row and head. */
export function attentionScratchBytes(rows: i32, heads: i32, keySize: i32): i32 {
  return keySize * 4 * CHUNK + heads * i32(WEIGHTS_BYTES) + rows * heads * i32(STATE_BYTES);
}

/**
 * Attention of `rows` new positions, of which the first is `first`, for `heads` query heads that share one key-value head.
 *
 * q: row r, head h at q + 4 (r qStride + h keySize). keys, values: position p at keys + 4 p keyStride, values + 4 p valueStride.
 * out: row r, head h at out + 4 (r outStride + h valueSize). Sizes and strides are in floats and multiples of 4.
 * A row sees itself and what is before it, but no more than `window` positions; 0 is all.
 * `scratch`: `attentionScratchBytes(rows, heads, keySize)` bytes, aligned to 16.
 *
 * Keys are turned once a chunk, so that neighbouring lanes are neighbouring positions: scores then are sums of products as those of values are,
 * and no sum runs across lanes. A row's bits depend on nothing but its own query and what it sees.
 */
export function attention(
  q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, first: i32, heads: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStride: i32, values: usize, valueStride: i32, window: i32, scoreScale: f32, scratch: usize,
): void {
  const keyBytes = usize(keySize) << 2, valueBytes = usize(valueSize) << 2, keyStep = usize(keyStride) << 2, valueStep = usize(valueStride) << 2;
  const weights = scratch + usize(CHUNK) * keyBytes, states = weights + usize(heads) * WEIGHTS_BYTES;
  const end = first + rows, firstSeen = window ? max(0, first - window + 1) : 0;
  for (let chunk = firstSeen & -CHUNK; chunk < end; chunk += CHUNK) {
    transpose(keys + usize(chunk) * keyStep, keyStep, min(CHUNK, end - chunk), keyBytes, scratch);
    for (let row = max(0, chunk - first); row < rows; row++) {
      const seenEnd = first + row + 1, seenStart = window ? max(0, seenEnd - window) : 0;
      const from = max(0, seenStart - chunk), to = min(CHUNK, seenEnd - chunk);
      if (from >= to) continue;
      const rowQ = q + (usize(row * qStride) << 2), rowOut = out + (usize(row * outStride) << 2), state = states + usize(row * heads) * STATE_BYTES;
      if (chunk + from == seenStart) begin(state, heads, rowOut, valueBytes);
      clear(weights, usize(heads) * WEIGHTS_BYTES);
      for (let panel = from & -PANEL; panel < to; panel += PANEL) {
        addProducts(rowQ, keyBytes, heads, keySize, scratch + usize(panel) * keyBytes, 4 * PANEL, 4 * PANEL, weights + (usize(panel) << 2), WEIGHTS_BYTES);
      }
      for (let head = 0; head < heads; head++) {
        const correction = softmax(weights + usize(head) * WEIGHTS_BYTES, from, to, scoreScale, state + usize(head) * STATE_BYTES);
        if (correction != 1) multiply(rowOut + usize(head) * valueBytes, valueBytes, correction);
      }
      addProducts(weights + (usize(from) << 2), WEIGHTS_BYTES, heads, to - from, values + usize(chunk + from) * valueStep, valueStep, valueBytes, rowOut, valueBytes);
      if (to == seenEnd - chunk) finish(state, heads, rowOut, valueBytes);
    }
  }
}

function begin(state: usize, heads: i32, out: usize, valueBytes: usize): void {
  for (let head = 0; head < heads; head++) beginSoftmax(state + usize(head) * STATE_BYTES);
  clear(out, usize(heads) * valueBytes);
}

function clear(x: usize, bytes: usize): void {
  const zero = f32x4.splat(0);
  for (const end = x + bytes; x < end; x += 16) v128.store(x, zero);
}

function multiply(x: usize, bytes: usize, by: f32): void {
  const factor = f32x4.splat(by);
  for (const end = x + bytes; x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), factor));
}

function finish(state: usize, heads: i32, out: usize, valueBytes: usize): void {
  for (let head = 0; head < heads; head++, state += STATE_BYTES, out += valueBytes) {
    const sum = f32x4.splat(sumOfWeights(state));
    for (let d: usize = 0; d < valueBytes; d += 16) v128.store(out + d, f32x4.div(v128.load(out + d), sum));
  }
}
