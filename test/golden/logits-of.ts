import { expect } from 'vitest';
import { type LocalCluster } from '@essaim/testing';
import { type LogitsVector } from './read-vectors.ts';

const NEVER = new AbortController().signal;

/** Of logits over the whole vocabulary from rows [firstRow, ...) of a vector. */
export function distances(vector: LogitsVector, firstRow: number, logits: Float32Array): number[] {
  const result: number[] = [];
  for (let row = 0; row < logits.length / vector.vocabularySize; row++) {
    for (let column = 0; column < vector.columns; column++) {
      result.push(Math.abs(logits[row * vector.vocabularySize + column * vector.vocabularyStride]! - vector.logits[(firstRow + row) * vector.columns + column]!));
    }
  }
  return result;
}

/** The logits of a prompt in two chunks and of the tokens behind it: in chunks, what is kept is read again. */
export async function* logitsOf({ workers }: LocalCluster, { promptIds, greedyIds }: LogitsVector, decoded: number): AsyncGenerator<{ readonly first: number; readonly logits: Float32Array }> {
  const { runner, kv } = workers[0]!;
  const tokenIds = [...promptIds, ...greedyIds.slice(0, decoded)];
  const cache = kv.reserve(tokenIds.length)!;
  const half = promptIds.length >> 1;
  for (let first = 0, count = half; first < tokenIds.length; first += count, count = first < promptIds.length ? promptIds.length - first : 1) {
    const [output] = await runner.forward([{ cache, first, tokenIds: tokenIds.slice(first, first + count), logitsOfLast: count }], NEVER);
    expect(output!.failure).toBeNull();
    yield { first, logits: output!.logits! };
  }
  cache.release();
}
