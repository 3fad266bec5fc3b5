import { type ModelSpec } from '@essaim/core';
import { activeBytes, activeWeights, fourBits } from '../active-weights.ts';

/** Scales have two bytes on both sides: Essaim keeps them in bfloat16, GGUF's Q4_0 in float16. */
const BYTES = { layers: fourBits(2), head: fourBits(2) };

/** The most that one stream can reach when every weight that a token uses is read from memory once and nothing else takes time. */
export interface Roofline {
  readonly bytesPerToken: number;
  /** Bytes per second. */
  readonly readBandwidth: number;
  readonly tokensPerSecond: number;
}

export function rooflineOf(spec: ModelSpec, readBandwidth: number): Roofline {
  const bytesPerToken = activeBytes(activeWeights(spec), BYTES);
  return { bytesPerToken, readBandwidth, tokensPerSecond: readBandwidth / bytesPerToken };
}
