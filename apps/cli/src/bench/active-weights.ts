import { assert, type ModelSpec } from '@essaim/core';

/** How many weights one token is multiplied with. Norms and the one row of the embedding are left out: below 1 % together. */
export interface ActiveWeights {
  /** Of attention and of the experts that it is sent to, in all layers. */
  readonly layers: number;
  /** Of the head: for tokens whose logits are wanted. */
  readonly head: number;
  /** Of the routers, float32 in every form. */
  readonly router: number;
}

/** Bytes of one weight, its share of a scale included. */
export interface WeightBytes {
  readonly layers: number;
  readonly head: number;
}

const ROUTER_BYTES = Float32Array.BYTES_PER_ELEMENT;
const BLOCK_SIZE = 32;

/** Bytes of a weight of 4 bits in blocks of 32 with a scale of so many bytes. */
export const fourBits = (scaleBytes: number): number => 0.5 + scaleBytes / BLOCK_SIZE;

export function activeWeights({ hiddenSize, layerCount, vocabSize, attention, feedForward }: ModelSpec): ActiveWeights {
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const { headCount, kvHeadCount, headSize } = attention;
  const attentionWeights = hiddenSize * headSize * (2 * headCount + 2 * kvHeadCount);
  const expertWeights = feedForward.expertsPerToken * 3 * hiddenSize * feedForward.size;
  return { layers: layerCount * (attentionWeights + expertWeights), head: vocabSize * hiddenSize, router: layerCount * feedForward.expertCount * hiddenSize };
}

/** That are read for one token which is decoded by itself, keys and values left out. */
export const activeBytes = ({ layers, head, router }: ActiveWeights, bytes: WeightBytes): number => layers * bytes.layers + head * bytes.head + router * ROUTER_BYTES;

/** Of one token of a prompt, whose logits nobody wants: a multiplication and an addition for each weight. Its products with keys and values are left out. */
export const promptFlops = ({ layers, router }: ActiveWeights): number => 2 * (layers + router);
