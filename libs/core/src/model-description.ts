import { type GroupedQueryAttention, type ModelSpec } from './model-spec.ts';

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
  /** Which values of the rotated part turn together: 2i and 2i + 1, or i and i + rotarySize / 2. */
  readonly rotaryPairs: 'interleaved' | 'halves';
  /** Multiplies 1 / sqrt(plainSize + rotarySize). */
  readonly scoreScale: number;
}

/** How a token's experts and their gates are chosen from the router's logits. */
export interface Router {
  readonly kind: 'softmax' | 'sigmoid';
  /** A bias a layer that moves the choice, not the gates. */
  readonly correctionBias: boolean;
  /** Experts are taken from the best `groupsPerToken` of `groupCount` groups of equal size; 1 and 1 for no groups. */
  readonly groupCount: number;
  readonly groupsPerToken: number;
  /** Gates of the chosen experts are divided by their sum. */
  readonly renormalised: boolean;
  /** Multiplies the gates, last. */
  readonly scale: number;
}

export type DescribedFeedForward =
  | { readonly kind: 'dense'; readonly size: number }
  | {
      readonly kind: 'moe';
      /** Of one routed expert. */
      readonly size: number;
      readonly expertCount: number;
      readonly expertsPerToken: number;
      readonly router: Router;
      /** Experts that every token passes, as one network of this width; 0 for none. */
      readonly sharedSize: number;
      /** Layers before the first routed one, with a dense network of `denseSize`. */
      readonly denseLayerCount: number;
      readonly denseSize: number;
    };

/** What the matrices are stored in: floats of 16 or 32 bits, e4m3 with scales, or e2m1 in blocks of 16 with scales. */
export type WeightPrecision = 'float' | 'fp8' | 'nvfp4';

/** A model as its configuration describes it, whether the engine can run it yet or not. A `ModelSpec` is one that it can run. */
export interface ModelDescription extends Omit<ModelSpec, 'family' | 'attention' | 'feedForward'> {
  readonly family: ModelSpec['family'] | 'mistral4' | 'deepseek-v3';
  readonly attention: GroupedQueryAttention | LatentAttention;
  readonly feedForward: DescribedFeedForward;
  readonly precision: WeightPrecision;
  /** The checkpoint sees images too; only its text part is described and read. */
  readonly vision: boolean;
}
