import { LOWEST, exp, laneSum } from './math';

/** Positions are met in chunks that begin at multiples of this, whatever rows a call computes: a row's sums always run in the same order. */
const CHUNK = 64;
/** Scratch: sums of a tile, then CHUNK weights a head, then a state of 16 bytes for each row and head: largest score, sum of weights, last correction. */
const TILE_BYTES: usize = 128;
const WEIGHTS_BYTES: usize = 4 * CHUNK;
const STATE_BYTES: usize = 16;

export function attentionScratchBytes(rows: i32, heads: i32): i32 {
  return i32(TILE_BYTES) + heads * i32(WEIGHTS_BYTES) + rows * heads * i32(STATE_BYTES);
}

/**
 * Attention of `rows` new positions, of which the first is `first`, for `heads` query heads that share one key-value head.
 *
 * q: row r, head h at q + 4 (r qStride + h keySize). keys, values: position p at keys + 4 p keyStride, values + 4 p valueStride.
 * out: row r, head h at out + 4 (r outStride + h valueSize). Sizes and strides are in floats and multiples of 4.
 * A row sees itself and what is before it, but no more than `window` positions; 0 is all. Softmax over the chunks is
 * that of Milakov and Gimelshein (2018): sums so far are corrected when a larger score comes.
 * `scratch`: `attentionScratchBytes(rows, heads)` bytes, aligned to 16. A row's bits depend on nothing but its own query and what it sees.
 */
export function attention(
  q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, first: i32, heads: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStride: i32, values: usize, valueStride: i32, window: i32, scoreScale: f32, scratch: usize,
): void {
  const weights = scratch + TILE_BYTES, states = weights + usize(heads) * WEIGHTS_BYTES;
  const keyBytes = usize(keySize) << 2, valueBytes = usize(valueSize) << 2, keyStep = usize(keyStride) << 2, valueStep = usize(valueStride) << 2;
  const end = first + rows, firstSeen = window ? max(0, first - window + 1) : 0;
  for (let chunk = firstSeen & -CHUNK; chunk < end; chunk += CHUNK) {
    for (let row = max(0, chunk - first); row < rows; row++) {
      const seenEnd = first + row + 1, seenStart = window ? max(0, seenEnd - window) : 0;
      const from = max(chunk, seenStart), to = min(chunk + CHUNK, seenEnd), count = to - from;
      if (count <= 0) continue;
      const rowQ = q + (usize(row * qStride) << 2), rowOut = out + (usize(row * outStride) << 2), state = states + usize(row * heads) * STATE_BYTES;
      if (from == seenStart) begin(state, heads, rowOut, valueBytes);
      scores(rowQ, keyBytes, heads, keys + usize(from) * keyStep, keyStep, count, scoreScale, weights, scratch);
      for (let head = 0; head < heads; head++) softmax(weights + usize(head) * WEIGHTS_BYTES, count, state + usize(head) * STATE_BYTES);
      for (let head = 0; head < heads; head++) {
        addValues(weights + usize(head) * WEIGHTS_BYTES, count, values + usize(from) * valueStep, valueStep, rowOut + usize(head) * valueBytes, valueBytes, state + usize(head) * STATE_BYTES);
      }
      if (to == seenEnd) finish(state, heads, rowOut, valueBytes);
    }
  }
}

function begin(state: usize, heads: i32, out: usize, valueBytes: usize): void {
  for (let head = 0; head < heads; head++, state += STATE_BYTES) {
    store<f32>(state, -Infinity);
    store<f32>(state, 0, 4);
  }
  memory.fill(out, 0, usize(heads) * valueBytes);
}

/** weights[head][i] = scale * (q[head] . keys[i]), four positions at a time; where `count` is no multiple of four the last one fills up. */
function scores(q: usize, keyBytes: usize, heads: i32, keys: usize, keyStep: usize, count: i32, scale: f32, weights: usize, tile: usize): void {
  const last = keys + usize(count - 1) * keyStep, factor = f32x4.splat(scale);
  for (let i = 0; i < count; i += 4) {
    const k0 = keys + usize(i) * keyStep, k1 = min(k0 + keyStep, last), k2 = min(k1 + keyStep, last), k3 = min(k2 + keyStep, last);
    for (let head = 0; head < heads; head++) {
      dots(q + usize(head) * keyBytes, keyBytes, k0, k1, k2, k3, tile);
      v128.store(weights + usize(head) * WEIGHTS_BYTES + (usize(i) << 2), f32x4.mul(fourSums(tile), factor));
    }
  }
}

/** Eight partial sums for each of four positions into `tile`: lane l adds up the products of dimensions l, l + 8, l + 16 and so on. */
function dots(q: usize, keyBytes: usize, k0: usize, k1: usize, k2: usize, k3: usize, tile: usize): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), b0 = f32x4.splat(0), b1 = f32x4.splat(0);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0), d0 = f32x4.splat(0), d1 = f32x4.splat(0);
  let d: usize = 0;
  for (; d + 32 <= keyBytes; d += 32) {
    const q0 = v128.load(q + d), q1 = v128.load(q + d, 16);
    a0 = f32x4.relaxed_madd(q0, v128.load(k0 + d), a0);
    a1 = f32x4.relaxed_madd(q1, v128.load(k0 + d, 16), a1);
    b0 = f32x4.relaxed_madd(q0, v128.load(k1 + d), b0);
    b1 = f32x4.relaxed_madd(q1, v128.load(k1 + d, 16), b1);
    c0 = f32x4.relaxed_madd(q0, v128.load(k2 + d), c0);
    c1 = f32x4.relaxed_madd(q1, v128.load(k2 + d, 16), c1);
    d0 = f32x4.relaxed_madd(q0, v128.load(k3 + d), d0);
    d1 = f32x4.relaxed_madd(q1, v128.load(k3 + d, 16), d1);
  }
  v128.store(tile, a0);
  v128.store(tile, a1, 16);
  v128.store(tile, b0, 32);
  v128.store(tile, b1, 48);
  v128.store(tile, c0, 64);
  v128.store(tile, c1, 80);
  v128.store(tile, d0, 96);
  v128.store(tile, d1, 112);
  if (d == keyBytes) return;
  const rest = v128.load(q + d);
  v128.store(tile, f32x4.relaxed_madd(rest, v128.load(k0 + d), v128.load(tile)));
  v128.store(tile, f32x4.relaxed_madd(rest, v128.load(k1 + d), v128.load(tile, 32)), 32);
  v128.store(tile, f32x4.relaxed_madd(rest, v128.load(k2 + d), v128.load(tile, 64)), 64);
  v128.store(tile, f32x4.relaxed_madd(rest, v128.load(k3 + d), v128.load(tile, 96)), 96);
}

/** The sums of four times eight partial sums. */
// @ts-ignore: decorator
@inline
function fourSums(tile: usize): v128 {
  const a = f32x4.add(v128.load(tile), v128.load(tile, 16)), b = f32x4.add(v128.load(tile, 32), v128.load(tile, 48));
  const c = f32x4.add(v128.load(tile, 64), v128.load(tile, 80)), d = f32x4.add(v128.load(tile, 96), v128.load(tile, 112));
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Scores to weights, exp(score - largest so far). NaN scores are passed over by the maximum and come back as NaN weights. */
function softmax(weights: usize, count: i32, state: usize): void {
  const end = usize(count) << 2, padded = (end + 31) & ~31, lowest = v128.load32_splat(LOWEST);
  for (let i = end; i < padded; i += 4) store<f32>(weights + i, -Infinity);
  let low = lowest, high = lowest;
  for (let i: usize = 0; i < padded; i += 32) {
    low = f32x4.pmax(low, v128.load(weights + i));
    high = f32x4.pmax(high, v128.load(weights + i, 16));
  }
  low = f32x4.pmax(low, high);
  low = f32x4.pmax(low, v128.shuffle<f32>(low, low, 2, 3, 0, 1));
  const before = load<f32>(state), chunkLargest = max(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)), largest = max(before, chunkLargest);
  const splat = f32x4.splat(largest);
  let lowSum = f32x4.splat(0), highSum = f32x4.splat(0);
  for (let i: usize = 0; i < padded; i += 32) {
    const lowWeights = exp(f32x4.sub(v128.load(weights + i), splat)), highWeights = exp(f32x4.sub(v128.load(weights + i, 16), splat));
    v128.store(weights + i, lowWeights);
    v128.store(weights + i, highWeights, 16);
    lowSum = f32x4.add(lowSum, lowWeights);
    highSum = f32x4.add(highSum, highWeights);
  }
  const correction = before == largest ? f32(1) : f32x4.extract_lane(exp(f32x4.splat(before - largest)), 0);
  store<f32>(state, largest);
  store<f32>(state, load<f32>(state, 4) * correction + laneSum(f32x4.add(lowSum, highSum)), 4);
  store<f32>(state, correction, 8);
}

/** out = correction * out + the weighted sum of `count` values. Each dimension adds up its positions one after another. */
function addValues(weights: usize, count: i32, values: usize, valueStep: usize, out: usize, valueBytes: usize, state: usize): void {
  const correction = v128.load32_splat(state, 8), end = weights + (usize(count) << 2);
  for (let d: usize = 0; d < valueBytes; d += 16) {
    let sum = f32x4.mul(v128.load(out + d), correction);
    let v = values + d;
    for (let w = weights; w < end; w += 4, v += valueStep) sum = f32x4.relaxed_madd(v128.load32_splat(w), v128.load(v), sum);
    v128.store(out + d, sum);
  }
}

function finish(state: usize, heads: i32, out: usize, valueBytes: usize): void {
  for (let head = 0; head < heads; head++, state += STATE_BYTES, out += valueBytes) {
    const sum = v128.load32_splat(state, 4);
    for (let d: usize = 0; d < valueBytes; d += 16) v128.store(out + d, f32x4.div(v128.load(out + d), sum));
  }
}
