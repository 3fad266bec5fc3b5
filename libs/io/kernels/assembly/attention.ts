import { QUERY_BYTES, RESULT, VECTOR, WEIGHTS, addProducts, beginQuery, finishQuery } from './query';
import { raiseLargest, weigh } from './softmax';
import { storedBytes } from './stored';
import { PANEL, transpose } from './transpose';
import { clear } from './vectors';

/** Positions are met in chunks that begin at multiples of this, whatever rows a call computes: a row's sums always run in the same order. */
const CHUNK = 64;
const WEIGHTS_BYTES: usize = 4 * CHUNK;
/** Queries that are computed together where a row has fewer heads: what the first cache holds of keys and values is used as often. */
const TOGETHER = 16;

/** Scratch: a chunk's keys, then CHUNK weights for each query of the rows that are computed together, then all queries. Enough for smaller calls too. */
export function attentionScratchBytes(rows: i32, heads: i32, keySize: i32): i32 {
  return 4 * CHUNK * keySize + max(TOGETHER, heads) * i32(WEIGHTS_BYTES) + rows * heads * i32(QUERY_BYTES);
}

function rowsTogether(heads: i32): i32 {
  return heads < TOGETHER ? TOGETHER / heads : 1;
}

/**
 * Attention of `rows` new positions, of which the first is `first`, for `heads` query heads that share one key-value head.
 *
 * q: row r, head h at q + 4 (r qStride + h keySize). keys, values: position p at keys + 4 p keyStride, values + 4 p valueStride.
 * out: row r, head h at out + 4 (r outStride + h valueSize). Sizes and strides are in floats and multiples of 4.
 * A row sees itself and what is before it, but no more than `window` positions; 0 is all. `scoreScale` is positive.
 * `scratch`: `attentionScratchBytes(rows, heads, keySize)` bytes, aligned to 16.
 *
 * Keys are turned once a chunk, so that neighbouring lanes are neighbouring positions: scores then are sums of products as those of values are,
 * and no sum runs across lanes. A row's bits depend on nothing but its own query and what it sees.
 */
export function attention(
  q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, first: i32, heads: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStride: i32, values: usize, valueStride: i32, window: i32, scoreScale: f32, scratch: usize,
): void {
  attend<f32>(q, qStride, out, outStride, rows, first, heads, keySize, valueSize, keys, keyStride, values, valueStride, window, scoreScale, scratch);
}

/** The same with keys and values of bfloat16, so position p is at keys + 2 p keyStride: the bits that these numbers give as float32. */
export function attentionBf16(
  q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, first: i32, heads: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStride: i32, values: usize, valueStride: i32, window: i32, scoreScale: f32, scratch: usize,
): void {
  attend<u16>(q, qStride, out, outStride, rows, first, heads, keySize, valueSize, keys, keyStride, values, valueStride, window, scoreScale, scratch);
}

function attend<T>(
  q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, first: i32, heads: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStride: i32, values: usize, valueStride: i32, window: i32, scoreScale: f32, scratch: usize,
): void {
  const keyBytes = usize(keySize) << 2, valueBytes = usize(valueSize) << 2, keyStep = usize(keyStride) * sizeof<T>(), valueStep = usize(valueStride) * sizeof<T>();
  const together = rowsTogether(heads), end = first + rows, rowBytes = usize(heads) * QUERY_BYTES;
  const weights = scratch + usize(CHUNK) * keyBytes, queries = weights + usize(together * heads) * WEIGHTS_BYTES;
  for (let row = 0; row < rows; row++) {
    const rowWeights = weights + usize(row % together * heads) * WEIGHTS_BYTES;
    beginRow(queries + usize(row) * rowBytes, heads, q + (usize(row * qStride) << 2), keyBytes, rowWeights, out + (usize(row * outStride) << 2), valueBytes);
  }
  for (let chunk = seenFrom(first, 0, window) & -CHUNK; chunk < end; chunk += CHUNK) {
    transpose<T>(keys + usize(chunk) * keyStep, keyStep, min(CHUNK, end - chunk), keyBytes, scratch);
    const chunkValues = values + usize(chunk) * valueStep;
    for (let position = max(first, chunk); position < end; position += together) {
      const last = min(position + together, end) - 1, from = seenFrom(position, chunk, window), to = seenTo(last, chunk);
      if (from >= to) break;
      const group = queries + usize(position - first) * rowBytes;
      scores(group, (last + 1 - position) * heads, scratch, keySize, from, to);
      for (let p = position; p <= last; p++) softmax(group + usize(p - position) * rowBytes, heads, seenFrom(p, chunk, window), seenTo(p, chunk), scoreScale, valueBytes);
      // What a row does not see may be NaN, so values are added for several rows only where they see the same.
      const alike = seenFrom(last, chunk, window) == from && seenTo(position, chunk) == to ? last + 1 - position : 1;
      for (let p = position; p <= last; p += alike) {
        addValues<T>(group + usize(p - position) * rowBytes, alike * heads, seenFrom(p, chunk, window), seenTo(p, chunk), chunkValues, valueStep, valueBytes);
      }
    }
  }
  for (let i = 0; i < rows * heads; i++) finishQuery(queries + usize(i) * QUERY_BYTES, valueBytes);
}

/** What a position sees of a chunk: its positions [from, to), counted from where it begins. Nothing if to <= from. */
// @ts-ignore: decorator
@inline
function seenFrom(position: i32, chunk: i32, window: i32): i32 {
  return window ? max(0, position - window + 1 - chunk) : 0;
}

// @ts-ignore: decorator
@inline
function seenTo(position: i32, chunk: i32): i32 {
  return min(CHUNK, position + 1 - chunk);
}

function beginRow(query: usize, heads: i32, vector: usize, keyBytes: usize, weights: usize, result: usize, valueBytes: usize): void {
  for (let head = 0; head < heads; head++, query += QUERY_BYTES, vector += keyBytes, weights += WEIGHTS_BYTES, result += valueBytes) {
    beginQuery(query, vector, weights, result, valueBytes);
  }
}

/** Of the positions [from, to) of a chunk, and of those that share a panel with them. */
function scores(queries: usize, count: i32, keys: usize, keySize: i32, from: i32, to: i32): void {
  for (let i = 0; i < count; i++) clear(load<usize>(queries + usize(i) * QUERY_BYTES + WEIGHTS), WEIGHTS_BYTES);
  for (let panel = from & -PANEL; panel < to; panel += PANEL) {
    addProducts<f32>(queries, count, VECTOR, 0, keySize, keys + (usize(panel * keySize) << 2), 4 * PANEL, 4 * PANEL, WEIGHTS, usize(panel) << 2);
  }
}

/** Of the scores of the positions [from, to). All queries are raised first: the maxima of different ones don't wait for each other. */
function softmax(queries: usize, count: i32, from: i32, to: i32, scale: f32, valueBytes: usize): void {
  if (from >= to) return;
  const end = queries + usize(count) * QUERY_BYTES;
  for (let query = queries; query < end; query += QUERY_BYTES) raiseLargest(query, from, to, scale, valueBytes);
  for (let query = queries; query < end; query += QUERY_BYTES) weigh(query, from, to, scale);
}

function addValues<T>(queries: usize, count: i32, from: i32, to: i32, values: usize, valueStep: usize, valueBytes: usize): void {
  if (from >= to) return;
  addProducts<T>(queries, count, WEIGHTS, usize(from) << 2, to - from, values + usize(from) * valueStep, valueStep, valueBytes, RESULT, 0);
}
