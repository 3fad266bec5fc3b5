import { type DeviceRows } from '@essaim/dispatch';
import { type KvCache } from '@essaim/kv';
import { type FewLogits, type FewNeeded } from '@essaim/sampling';

/** How the tokens' positions enter attention. */
export interface RopeAngles {
  /** Of each token's rotation, [tokens, rotarySize / 2] each; both times the magnitude where the model corrects it. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  /** Multiplies each token's query, [tokens]; null for a model that scales none. */
  readonly queryScale: Float32Array | null;
}

/** Consecutive tokens of one sequence within the rows of a step: those behind the committed ones of its cache, which has room for them. */
export interface AttentionSpan {
  readonly cache: KvCache;
  readonly row: number;
  readonly count: number;
}

/** What attention needs to know of a step, the same object for all layers. */
export interface AttentionStep {
  readonly angles: RopeAngles;
  readonly spans: readonly AttentionSpan[];
  /**
   * True: a token comes out the same to the last bit whether it is computed alone or together with others of its sequence. Costs a row of
   * zeros beside each token that is alone. Without it the two differ in the last bit, on a device that treats single rows in a way of their own.
   */
  readonly even: boolean;
  /**
   * True: a token comes out the same to the last bit however many others of its sequence are in the step. Costs a form of latent attention that is faster for many at once; without it
   * the two forms differ by what rounding to the forms of weights and activations makes of either.
   */
  readonly sameInAnyChunk: boolean;
}

/** What a layer's router says. */
export interface RouterOutput {
  /** [tokens, experts]; null for a dense layer. */
  readonly routerLogits: Float32Array | null;
  /** [experts]: of a router whose choice it moves, the same in every step. Absent for others. */
  readonly correctionBias?: Float32Array;
}

/** What a layer's attention leaves to its feed-forward network. */
export interface Attended extends RouterOutput {
  /** [tokens, hidden]: the residual stream, without what that network adds to it. */
  readonly next: Float32Array;
  /** [tokens, hidden]: the network's input. */
  readonly normed: Float32Array;
}

/** The dense part of a model on the processor. All arrays are row-major and owned by the receiver. */
export interface ModelPieces {
  /** [tokens, hidden] */
  embed(tokenIds: readonly number[]): Promise<Float32Array>;
  /** hidden [tokens, hidden]: the residual stream before the layer. Puts keys and values behind the committed ones of the caches; commits nothing. */
  attend(layer: number, hidden: Float32Array, step: AttentionStep): Promise<Attended>;
  /** The network that every token passes, of a dense layer or of a routed layer's shared experts: [tokens, hidden] -> [tokens, hidden]. */
  dense(layer: number, activations: Float32Array): Promise<Float32Array>;
  /** hidden [tokens, hidden] -> logits [tokens, vocab] */
  head(hidden: Float32Array): Promise<Float32Array>;
}

/** The dense part of a model on a device, where hidden states stay from layer to layer. */
export interface DevicePieces {
  /** Puts the tokens' embeddings on the device; the caller releases them. */
  begin(tokenIds: readonly number[]): Promise<DeviceState>;
}

/** The hidden states of a step on a device. What is asked of them is done in the order of asking. */
export interface DeviceState extends DeviceRows {
  /** From the residual stream before a layer to that behind its attention; keys and values as in `ModelPieces.attend`. */
  attend(layer: number, step: AttentionStep): Promise<RouterOutput>;
  /** Adds what the network makes of its input that every token passes. */
  addDense(layer: number): Promise<void>;
  /** [tokens]: for each a finite number, if all of its hidden state are. */
  squares(): Promise<Float32Array>;
  /** Of some rows behind the last layer: [rows.length, vocab]. */
  logits(rows: Uint32Array): Promise<Float32Array>;
  /** The same, left where they are; null on a device where nothing can stay. The caller releases them before the step. */
  keepLogits(rows: Uint32Array): Promise<KeptLogits> | null;
  release(): void;
}

/** Logits of some tokens, on a device. */
export interface KeptLogits {
  /** Of each token at least as many of the best as are needed, but where others are as good as the last of them. */
  few(needed: readonly FewNeeded[]): Promise<readonly FewLogits[]>;
  /** All of some of the tokens: [tokens.length, vocab]. */
  take(tokens: Uint32Array): Promise<Float32Array>;
  release(): void;
}
