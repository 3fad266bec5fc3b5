export interface FeedForwardNames {
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** Of the projections and norms of latent attention beside `query`, which one without a latent of its own has, and `output`. */
export interface LatentNames {
  readonly queryDown: string;
  readonly queryNorm: string;
  readonly queryUp: string;
  readonly keyValueDown: string;
  readonly keyValueNorm: string;
  readonly keyValueUp: string;
}

/** Where the experts of a layer may lie, and what their tensors are called there. */
export interface RoutedNames {
  /** Prefix of `gate.weight`, the router, of `experts.E.` and of `shared_experts.`; also of `experts.gate_up_proj` and `experts.down_proj`, each for all experts. */
  readonly place: string;
  /** Of one expert, or of the shared ones. */
  readonly parts: FeedForwardNames;
  /** In `place`. */
  readonly correctionBias: string;
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
  readonly latent: LatentNames;
  /** The likeliest first. */
  readonly routed: readonly RoutedNames[];
  /** Prefixes of what sees images. */
  readonly vision: readonly string[];
  /** Which rows of a head of `query` and `key` turn together: 2i and 2i + 1, or i and i + headSize / 2. */
  readonly rotaryPairs: 'interleaved' | 'halves';
}
