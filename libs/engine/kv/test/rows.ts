import { type KvDtype } from '@essaim/core';
import { type KvCache, kvBytesPerToken, type KvLayout, type KvNumbers } from '../src/index.ts';

export const layoutIn = (dtype: KvDtype): KvLayout => ({ layerCount: 2, keyWidth: 3, valueWidth: 2, dtype });
export const LAYOUT: KvLayout = layoutIn('f32');
export const TOKEN_BYTES = kvBytesPerToken(LAYOUT);

/** Row r of a matrix holds `base + r` in every column. */
export const matrix = (count: number, width: number, base: number): Float32Array => Float32Array.from({ length: count * width }, (_, index) => base + Math.floor(index / width));

/** Computes these tokens as a model does that has nothing in mind but their ids: token t has keys t and values t + 1, as bits where they are bfloat16. */
export function compute(cache: KvCache, tokenIds: readonly number[]): void {
  const { layerCount, keyWidth, valueWidth, dtype } = cache.layout;
  const rows = (width: number, more: number): KvNumbers => (dtype === 'f32' ? Float32Array : Uint16Array).from(tokenIds.flatMap((id) => new Array<number>(width).fill(id + more)));
  for (let layer = 0; layer < layerCount; layer++) cache.append(layer, tokenIds.length, { keys: rows(keyWidth, 0), values: rows(valueWidth, 1) });
  cache.commit(tokenIds);
}

/** The tokens that a cache's keys and values belong to, each told by every column of every layer; null where these differ. */
export function computedTokens(cache: KvCache): (number | null)[] {
  return Array.from({ length: cache.length }, (_, position) => {
    const columns: number[] = [];
    for (let layer = 0; layer < cache.layout.layerCount; layer++) columns.push(...cache.keys(layer, position, position + 1), ...Array.from(cache.values(layer, position, position + 1), (value) => value - 1));
    return columns.every((column) => column === columns[0]) ? columns[0]! : null;
  });
}
