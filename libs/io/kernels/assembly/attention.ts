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
  const keyStep = usize(keyStride) * sizeof<T>(), valueStep = usize(valueStride) * sizeof<T>(), end = first + rows;
  const weights = scratch + (usize(CHUNK * keySize) << 2), queries = weights + usize(rowsTogether(heads) * heads) * WEIGHTS_BYTES;
  begin(queries, rows, heads, q, qStride, keySize, weights, out, outStride, valueSize);
  for (let chunk = seenFrom(first, 0, window) & -CHUNK; chunk < end; chunk += CHUNK) {
    meet<T>(queries, rows, first, heads, chunk, keySize, valueSize, keys + usize(chunk) * keyStep, keyStep, values + usize(chunk) * valueStep, valueStep, window, scoreScale, scratch);
  }
  finish(queries, rows * heads, valueSize);
}

/**
 * Attention of heads whose keys and values don't lie anywhere but are made chunk by chunk, several heads in turns: `beginHead`, then `meetChunk` for all chunks from position 0 on,
 * then `finishHead`. `nth`: the head's number among those that share the scratch, which has `headsScratchBytes`. Other arguments are those of `attention`, without a window.
 */
export function headsScratchBytes(rows: i32, heads: i32, keySize: i32): i32 {
  return attentionScratchBytes(rows * heads, 1, keySize);
}

export function beginHead(nth: i32, q: usize, qStride: i32, out: usize, outStride: i32, rows: i32, keySize: i32, valueSize: i32, scratch: usize): void {
  begin(queriesOf(nth, rows, keySize, scratch), rows, 1, q, qStride, keySize, scratch + (usize(CHUNK * keySize) << 2), out, outStride, valueSize);
}

/** keys, values: of the CHUNK positions from `chunk` on, a multiple of CHUNK, as far as some row sees them. */
export function meetChunk(
  nth: i32, chunk: i32, rows: i32, first: i32, keySize: i32, valueSize: i32, keys: usize, keyStride: i32, values: usize, valueStride: i32, scoreScale: f32, scratch: usize,
): void {
  meet<f32>(queriesOf(nth, rows, keySize, scratch), rows, first, 1, chunk, keySize, valueSize, keys, usize(keyStride) << 2, values, usize(valueStride) << 2, 0, scoreScale, scratch);
}

export function finishHead(nth: i32, rows: i32, keySize: i32, valueSize: i32, scratch: usize): void {
  finish(queriesOf(nth, rows, keySize, scratch), rows, valueSize);
}

function queriesOf(nth: i32, rows: i32, keySize: i32, scratch: usize): usize {
  return scratch + (usize(CHUNK * keySize) << 2) + usize(TOGETHER) * WEIGHTS_BYTES + usize(nth * rows) * QUERY_BYTES;
}

/** What is known of the queries before they meet the first chunk. */
function begin(queries: usize, rows: i32, heads: i32, q: usize, qStride: i32, keySize: i32, weights: usize, out: usize, outStride: i32, valueSize: i32): void {
  const together = rowsTogether(heads);
  for (let row = 0; row < rows; row++) {
    const rowWeights = weights + usize(row % together * heads) * WEIGHTS_BYTES;
    beginRow(queries + usize(row * heads) * QUERY_BYTES, heads, q + (usize(row * qStride) << 2), usize(keySize) << 2, rowWeights, out + (usize(row * outStride) << 2), usize(valueSize) << 2);
  }
}

/** All rows and a chunk, whose first key and value are at `keys` and `values`; steps are in bytes. */
function meet<T>(
  queries: usize, rows: i32, first: i32, heads: i32, chunk: i32, keySize: i32, valueSize: i32,
  keys: usize, keyStep: usize, values: usize, valueStep: usize, window: i32, scoreScale: f32, scratch: usize,
): void {
  const together = rowsTogether(heads), end = first + rows, rowBytes = usize(heads) * QUERY_BYTES, valueBytes = usize(valueSize) << 2;
  transpose<T>(keys, keyStep, min(CHUNK, end - chunk), usize(keySize) << 2, scratch);
  for (let position = max(first, chunk); position < end; position += together) {
    const last = min(position + together, end) - 1, from = seenFrom(position, chunk, window), to = seenTo(last, chunk);
    if (from >= to) break;
    const group = queries + usize(position - first) * rowBytes;
    scores(group, (last + 1 - position) * heads, scratch, keySize, from, to);
    for (let p = position; p <= last; p++) softmax(group + usize(p - position) * rowBytes, heads, seenFrom(p, chunk, window), seenTo(p, chunk), scoreScale, valueBytes);
    // What a row does not see may be NaN, so values are added for several rows only where they see the same.
    const alike = seenFrom(last, chunk, window) == from && seenTo(position, chunk) == to ? last + 1 - position : 1;
    for (let p = position; p <= last; p += alike) {
      addValues<T>(group + usize(p - position) * rowBytes, alike * heads, seenFrom(p, chunk, window), seenTo(p, chunk), values, valueStep, valueBytes);
    }
  }
}

function finish(queries: usize, count: i32, valueSize: i32): void {
  for (let i = 0; i < count; i++) finishQuery(queries + usize(i) * QUERY_BYTES, usize(valueSize) << 2);
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
