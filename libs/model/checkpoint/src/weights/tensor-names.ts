export interface FeedForwardNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** What the tensors of a decoder are called in a checkpoint. Names of a layer's tensors are within the layer. */
export interface TensorNames {
  readonly embedding: string;
  readonly finalNorm: string;
  readonly head: string;
  /** Before the number of a layer. */
  readonly layers: string;
  readonly inputNorm: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly postAttentionNorm: string;
  readonly dense: FeedForwardNames;
  /** Where `gate.weight`, the router, and `experts.E.w1.weight` may lie, the likeliest first. */
  readonly routed: readonly string[];
  /** Where `gate.weight` and `experts.gate_up_proj`, for all experts, may lie; null for nowhere. */
  readonly fused: string | null;
  /** Prefixes of what sees images. */
  readonly vision: readonly string[];
  /** Which rows of a head of `query` and `key` turn together: 2i and 2i + 1, or i and i + headSize / 2. */
  readonly rotaryPairs: 'interleaved' | 'halves';
}
