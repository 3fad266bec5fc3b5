/** cos and sin of each token's rotation, [tokens, headSize / 2] each. */
export interface RopeAngles {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

export interface PreOutput {
  /** [tokens, queryWidth] */
  readonly query: Float32Array;
  /** [tokens, keyWidth] */
  readonly key: Float32Array;
  /** [tokens, valueWidth] */
  readonly value: Float32Array;
}

export interface AttentionInput {
  /** [tokens, queryWidth] */
  readonly query: Float32Array;
  /** [length, keyWidth] */
  readonly key: Float32Array;
  /** [length, valueWidth] */
  readonly value: Float32Array;
  readonly tokens: number;
  readonly length: number;
  /** [tokens, length], 0 where a token sees a position and -Infinity where not; null where every token sees every position. */
  readonly mask: Float32Array | null;
}

export interface PostOutput {
  /** [tokens, hidden]: the residual stream, without what routed experts add to it. */
  readonly next: Float32Array;
  /** Null for a layer without routed experts. */
  readonly routed: {
    /** [tokens, hidden]: the experts' input. */
    readonly normed: Float32Array;
    /** [tokens, experts] */
    readonly routerLogits: Float32Array;
  } | null;
}

/** The dense part of a model on a device: the port behind which ONNX Runtime works. All arrays are row-major and owned by the receiver. */
export interface ModelPieces {
  /** [tokens, hidden] */
  embed(tokenIds: readonly number[]): Promise<Float32Array>;
  pre(layer: number, hidden: Float32Array, angles: RopeAngles): Promise<PreOutput>;
  /** [tokens, queryWidth] */
  attend(input: AttentionInput): Promise<Float32Array>;
  post(layer: number, attended: Float32Array, hidden: Float32Array): Promise<PostOutput>;
  /** hidden [tokens, hidden] -> logits [tokens, vocab] */
  head(hidden: Float32Array): Promise<Float32Array>;
}
