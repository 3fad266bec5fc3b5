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

export interface LayerWeights {
  readonly inputNorm: TensorView;
  readonly query: TensorView;
  readonly key: TensorView;
  readonly value: TensorView;
  readonly output: TensorView;
  readonly postAttentionNorm: TensorView;
  readonly feedForward:
    | ({ readonly kind: 'dense' } & FeedForwardWeights)
    | { readonly kind: 'moe'; readonly router: TensorView; readonly experts: readonly FeedForwardWeights[] };
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
