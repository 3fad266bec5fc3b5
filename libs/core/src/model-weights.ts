/** Number formats that weights are stored in; names as in safetensors, lower-cased. */
export const STORED_DTYPES = ['f32', 'f16', 'bf16'] as const;
export type StoredDtype = (typeof STORED_DTYPES)[number];

/**
 * A matrix [rows, columns], row-major, somewhere in a checkpoint; a vector has one row. A slice of a stored tensor is a view too.
 * Reading is by byte range: never more than the rows asked for, or than the heads of which they are rows where those are stored in another order.
 */
export interface TensorView {
  /** The stored tensor's name, with the slice where it is one; for messages. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** A form that holds every value exactly: the checkpoint's own where that is a float of 16 or 32 bits. */
  readonly dtype: StoredDtype;
  /** Changes whenever the bytes do: identity of the file version, place in it and a sample of the content. Independent of the file's path. */
  fingerprint(): Promise<string>;
  /** Rows [firstRow, firstRow + rowCount) as float32, [rowCount, columns]. */
  read(firstRow: number, rowCount: number): Promise<Float32Array>;
}

export interface FeedForwardWeights {
  /** [size, hidden], hidden to gate ("w1"). */
  readonly gate: TensorView;
  /** [size, hidden] ("w3"). */
  readonly up: TensorView;
  /** [hidden, size] ("w2"). */
  readonly down: TensorView;
}

export interface GroupedQueryWeights {
  readonly kind: 'gqa';
  /** [headCount * headSize, hidden] */
  readonly query: TensorView;
  /** [kvHeadCount * headSize, hidden], as `value`. */
  readonly key: TensorView;
  readonly value: TensorView;
  /** [hidden, headCount * headSize] */
  readonly output: TensorView;
}

export interface LatentAttentionWeights {
  readonly kind: 'mla';
  /** From the hidden state to the queries' latent, and its norm ("q_a"): [queryRank, hidden] and [queryRank]. Null where there is none. */
  readonly queryLatent: { readonly down: TensorView; readonly norm: TensorView } | null;
  /** [headCount * (plainSize + rotarySize), queryRank], of each head the plain part first ("q_b"); from the hidden state where there is no latent. */
  readonly query: TensorView;
  /** [latentRank + rotarySize, hidden]: the latent of keys and values, then the one rotated key ("kv_a"). */
  readonly keyValueDown: TensorView;
  /** [latentRank]: of the latent alone. */
  readonly latentNorm: TensorView;
  /** [headCount * (plainSize + valueSize), latentRank]: of each head the plain key, then the value ("kv_b"). */
  readonly keyValueUp: TensorView;
  /** [hidden, headCount * valueSize] */
  readonly output: TensorView;
}

export interface RoutedWeights {
  readonly kind: 'moe';
  /** [experts, hidden] */
  readonly router: TensorView;
  /** [experts]: moves the choice; null where the router has none. */
  readonly correctionBias: TensorView | null;
  readonly experts: readonly FeedForwardWeights[];
  /** Of all shared experts, as one network; null for none. */
  readonly shared: FeedForwardWeights | null;
}

export interface LayerWeights {
  readonly inputNorm: TensorView;
  readonly attention: GroupedQueryWeights | LatentAttentionWeights;
  readonly postAttentionNorm: TensorView;
  readonly feedForward: ({ readonly kind: 'dense' } & FeedForwardWeights) | RoutedWeights;
}

/** The weights of a model by role, whatever names its checkpoint gives them. */
export interface ModelWeights {
  /** [vocab, hidden] */
  readonly embedding: TensorView;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: TensorView;
  /** [vocab, hidden]; the embedding itself where tied. */
  readonly head: TensorView;
}
