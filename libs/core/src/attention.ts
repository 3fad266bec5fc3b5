/** Heads in groups that share a key and a value each. @see GQA, arXiv:2305.13245 */
export interface GroupedQueryAttention {
  readonly kind: 'gqa';
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly headSize: number;
  /** Tokens a position may look back at, itself included; null for all. */
  readonly slidingWindow: number | null;
}

/**
 * Multi-head latent attention: keys and values of all heads are computed from one latent vector a token, and only that and one
 * rotated key are cached.
 * @see DeepSeek-V2, arXiv:2405.04434, section 2.1
 */
export interface LatentAttention {
  readonly kind: 'mla';
  readonly headCount: number;
  /** Width of the query's latent; null where queries are projected from the hidden state at once. */
  readonly queryRank: number | null;
  /** Width of the latent that keys and values share. */
  readonly latentRank: number;
  /** Width of a head's query and key that is not rotated, and of the part that is. */
  readonly plainSize: number;
  readonly rotarySize: number;
  readonly valueSize: number;
  /** Of the norms of both latents. */
  readonly normEpsilon: number;
  /** Which values of the rotated part turn together: 2i and 2i + 1, or i and i + rotarySize / 2. */
  readonly rotaryPairs: 'interleaved' | 'halves';
  /** Multiplies 1 / sqrt(plainSize + rotarySize). */
  readonly scoreScale: number;
}

export type Attention = GroupedQueryAttention | LatentAttention;

/** [rows, columns] of each matrix of one layer's attention, the first ones first. */
export function attentionMatrices(attention: Attention, hiddenSize: number): (readonly [rows: number, columns: number])[] {
  if (attention.kind === 'gqa') {
    const [queryWidth, kvWidth] = [attention.headCount * attention.headSize, attention.kvHeadCount * attention.headSize];
    return [[queryWidth, hiddenSize], [kvWidth, hiddenSize], [kvWidth, hiddenSize], [hiddenSize, queryWidth]];
  }
  const { headCount, queryRank, latentRank, plainSize, rotarySize, valueSize } = attention;
  const queryWidth = headCount * (plainSize + rotarySize);
  return [
    ...(queryRank === null ? [[queryWidth, hiddenSize] as const] : [[queryRank, hiddenSize] as const, [queryWidth, queryRank] as const]),
    [latentRank + rotarySize, hiddenSize], [headCount * (plainSize + valueSize), latentRank], [hiddenSize, headCount * valueSize],
  ];
}

/** Values of each head's query and key that rotary positions turn. */
export const rotarySizeOf = (attention: Attention): number => (attention.kind === 'gqa' ? attention.headSize : attention.rotarySize);

/** Multiplies the products of queries and keys before the softmax. */
export const scoreFactorOf = (attention: Attention): number =>
  attention.kind === 'gqa' ? 1 / Math.sqrt(attention.headSize) : attention.scoreScale / Math.sqrt(attention.plainSize + attention.rotarySize);
