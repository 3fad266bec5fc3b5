import { laneSum } from './math';
import { addToFour, addToOne, addToVector } from './products';
import { storedBytes } from './stored';
import { clear, divide } from './vectors';

/**
 * A query is one head of one row. What is known of it while chunks of positions come by takes 48 bytes: the addresses of its vector, its weights of
 * the present chunk and its result; its largest score so far; and, eight side by side, the sums of its weights exp(score - largest).
 * Queries lie one behind the other.
 */
export const QUERY_BYTES: usize = 48;
export const VECTOR: usize = 0;
export const WEIGHTS: usize = 4;
export const RESULT: usize = 8;
export const LARGEST: usize = 12;
export const SUMS: usize = 16;

export function beginQuery(query: usize, vector: usize, weights: usize, result: usize, resultBytes: usize): void {
  store<usize>(query + VECTOR, vector);
  store<usize>(query + WEIGHTS, weights);
  store<usize>(query + RESULT, result);
  store<f32>(query + LARGEST, -Infinity);
  clear(query + SUMS, 32);
  clear(result, resultBytes);
}

export function finishQuery(query: usize, resultBytes: usize): void {
  const sums = f32x4.add(v128.load(query + SUMS), v128.load(query + SUMS, 16));
  divide(load<usize>(query + RESULT), resultBytes, laneSum(sums));
}

/**
 * out += a b for `count` queries: a, `terms` floats, is `aAt` bytes behind the address in their field `a`, and out likewise.
 * b: [terms, columns], its numbers T, `bStep` bytes from row to row; `width`: bytes of its columns in float32, a multiple of 16.
 */
export function addProducts<T>(queries: usize, count: i32, a: usize, aAt: usize, terms: i32, b: usize, bStep: usize, width: usize, out: usize, outAt: usize): void {
  const last = queries + usize(count - 1) * QUERY_BYTES;
  let column: usize = 0;
  for (; column + 64 <= width; column += 64) {
    const at = outAt + column;
    let query = queries;
    // Where two or three are left, the last one is computed again beside them.
    for (; query < last; query += 4 * QUERY_BYTES) {
      const second = query + QUERY_BYTES, third = min(second + QUERY_BYTES, last), fourth = min(third + QUERY_BYTES, last);
      addToFour<T>(
        load<usize>(query + a) + aAt, load<usize>(second + a) + aAt, load<usize>(third + a) + aAt, load<usize>(fourth + a) + aAt, terms, b + storedBytes<T>(column), bStep,
        load<usize>(query + out) + at, load<usize>(second + out) + at, load<usize>(third + out) + at, load<usize>(fourth + out) + at,
      );
    }
    if (query == last) addToOne<T>(load<usize>(last + a) + aAt, terms, b + storedBytes<T>(column), bStep, load<usize>(last + out) + at);
  }
  for (; column < width; column += 16) {
    for (let query = queries; query <= last; query += QUERY_BYTES) addToVector<T>(load<usize>(query + a) + aAt, terms, b + storedBytes<T>(column), bStep, load<usize>(query + out) + outAt + column);
  }
}
