import { type KvCache, kvBytesPerToken, type KvLayout } from '../src/index.ts';

export const LAYOUT: KvLayout = { layerCount: 2, keyWidth: 3, valueWidth: 2 };
export const TOKEN_BYTES = kvBytesPerToken(LAYOUT);

/** Row r of a matrix holds `base + r` in every column. */
export const matrix = (count: number, width: number, base: number): Float32Array => Float32Array.from({ length: count * width }, (_, index) => base + Math.floor(index / width));

/** Computes these tokens as a model does that has nothing in mind but their ids: token t has keys t and values -t. */
export function compute(cache: KvCache, tokenIds: readonly number[]): void {
  const rows = (width: number, sign: 1 | -1): Float32Array => Float32Array.from(tokenIds.flatMap((id) => new Array<number>(width).fill(sign * id)));
  for (let layer = 0; layer < LAYOUT.layerCount; layer++) cache.append(layer, tokenIds.length, { keys: rows(LAYOUT.keyWidth, 1), values: rows(LAYOUT.valueWidth, -1) });
  cache.commit(tokenIds);
}

/** The tokens that a cache's keys and values belong to, each told by every column of every layer; null where these differ. */
export function computedTokens(cache: KvCache): (number | null)[] {
  return Array.from({ length: cache.length }, (_, position) => {
    const columns: number[] = [];
    for (let layer = 0; layer < LAYOUT.layerCount; layer++) columns.push(...cache.keys(layer, position, position + 1), ...cache.values(layer, position, position + 1).map((value) => -value));
    return columns.every((column) => column === columns[0]) ? columns[0]! : null;
  });
}
