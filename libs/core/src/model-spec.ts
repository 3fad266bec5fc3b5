import { type Attention } from './attention.ts';
import { type FeedForward } from './feed-forward.ts';

/** Numeric form of the weights while running. Activations are float32 everywhere. */
export const WEIGHT_DTYPES = ['float32', 'int8', 'int4'] as const;
export type WeightDtype = (typeof WEIGHT_DTYPES)[number];

export interface Rope {
  readonly kind: 'default';
  readonly theta: number;
}

/** RoPE stretched to longer contexts. @see YaRN, arXiv:2309.00071 */
export interface YarnRope {
  readonly kind: 'yarn';
  readonly theta: number;
  /** By which the context is stretched. */
  readonly factor: number;
  /** Context before stretching, in tokens. */
  readonly originalContextLength: number;
  /** Turns over the original context above which a frequency stays as it is, and below which it is divided by `factor`. */
  readonly betaFast: number;
  readonly betaSlow: number;
  /** Multiplies cosine and sine; 1 where the checkpoint wants no correction of the magnitude. */
  readonly magnitude: number;
}

/** A query at position p is multiplied by 1 + beta ln(1 + floor(p / originalContextLength)), as in Llama 4. */
export interface QueryScaling {
  readonly beta: number;
  readonly originalContextLength: number;
}

/** What a checkpoint's configuration says, in our words and independent of its file format. */
export interface ModelSpec {
  /** Whose configuration and tensors it has; what is computed, the other fields say. */
  readonly family: 'mixtral' | 'mistral' | 'mistral4' | 'deepseek-v3';
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layerCount: number;
  /** Longest sequence, prompt and answer together, in tokens. */
  readonly contextLength: number;
  readonly attention: Attention;
  readonly rope: Rope | YarnRope;
  /** Null where every query stays as it is. */
  readonly queryScaling: QueryScaling | null;
  readonly feedForward: FeedForward;
  readonly normEpsilon: number;
  readonly tiedEmbedding: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

/** What the cluster serves: the id clients name, where the checkpoint lies on each host, and how it runs. */
export interface ModelRef {
  readonly id: string;
  /** Absolute folder of the checkpoint; every worker and gateway must see the same bytes there. */
  readonly directory: string;
  readonly dtype: WeightDtype;
  readonly deterministic: boolean;
}
