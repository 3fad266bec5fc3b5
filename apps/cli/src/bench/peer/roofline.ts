import { assert, type ModelSpec } from '@essaim/core';

/** Bytes of 32 weights with their scale: Essaim keeps it in bfloat16, GGUF's Q4_0 in float16. */
const BLOCK_BYTES = 16 + 2;
const BLOCK_SIZE = 32;
const ROUTER_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** The most that one stream can reach when every weight that a token uses is read from memory once and nothing else takes time. */
export interface Roofline {
  readonly bytesPerToken: number;
  /** Bytes per second. */
  readonly readBandwidth: number;
  readonly tokensPerSecond: number;
}

export function rooflineOf(spec: ModelSpec, readBandwidth: number): Roofline {
  const bytesPerToken = activeBytes(spec);
  return { bytesPerToken, readBandwidth, tokensPerSecond: readBandwidth / bytesPerToken };
}

/** Of the matrices that one token is multiplied with; norms, keys and values, and the one row of the embedding are left out: below 1 % together. */
export function activeBytes({ hiddenSize, layerCount, vocabSize, attention, feedForward }: ModelSpec): number {
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const { headCount, kvHeadCount, headSize } = attention;
  const attentionWeights = hiddenSize * headSize * (2 * headCount + 2 * kvHeadCount);
  const expertWeights = feedForward.expertsPerToken * 3 * hiddenSize * feedForward.size;
  const quantised = layerCount * (attentionWeights + expertWeights) + vocabSize * hiddenSize;
  return (quantised / BLOCK_SIZE) * BLOCK_BYTES + layerCount * feedForward.expertCount * hiddenSize * ROUTER_BYTES;
}
