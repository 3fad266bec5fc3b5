import { type ModelSpec } from '@essaim/core';

/** float32 values that one token keeps in each layer. */
export interface KvLayout {
  readonly layerCount: number;
  /** For grouped-query attention: key-value heads times head size. */
  readonly keyWidth: number;
  readonly valueWidth: number;
}

export function kvLayoutOf({ layerCount, attention }: ModelSpec): KvLayout {
  const width = attention.kvHeadCount * attention.headSize;
  return { layerCount, keyWidth: width, valueWidth: width };
}

/** Bytes that one token takes over all layers. */
export const kvBytesPerToken = ({ layerCount, keyWidth, valueWidth }: KvLayout): number => layerCount * (keyWidth + valueWidth) * Float32Array.BYTES_PER_ELEMENT;
