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

export interface RoutedFeedForward {
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
}

/** A dense model is a model with no routed experts. */
export type FeedForward = { readonly kind: 'dense'; readonly size: number } | RoutedFeedForward;

/** Mixtral's: the chosen experts' gates are a softmax over their logits, which is a softmax over all of them, renormalised. */
export const PLAIN_ROUTER: Router = { kind: 'softmax', correctionBias: false, groupCount: 1, groupsPerToken: 1, renormalised: true, scale: 1 };

/** Of a model whose layers are all routed, as Mixtral's, and share no expert. */
export const PLAIN_ROUTING = { router: PLAIN_ROUTER, sharedSize: 0, denseLayerCount: 0, denseSize: 0 } as const satisfies Partial<RoutedFeedForward>;

interface HasFeedForward {
  readonly feedForward: FeedForward;
}

/** Experts of each routed layer; 0 for a dense model. */
export const expertCount = ({ feedForward }: HasFeedForward): number => (feedForward.kind === 'moe' ? feedForward.expertCount : 0);

/** Layers before the first routed one; all of a dense model. */
export const denseLayerCount = ({ feedForward, layerCount }: HasFeedForward & { readonly layerCount: number }): number =>
  feedForward.kind === 'moe' ? feedForward.denseLayerCount : layerCount;

/** Whether the tokens of a layer are sent to experts. */
export const isRouted = ({ feedForward }: HasFeedForward, layer: number): boolean => feedForward.kind === 'moe' && layer >= feedForward.denseLayerCount;

/** Width of the network that every token of a layer passes: a dense layer's own or that of the shared experts; 0 for none. */
export function denseSizeOf(spec: HasFeedForward, layer: number): number {
  const { feedForward } = spec;
  if (feedForward.kind === 'dense') return feedForward.size;
  return isRouted(spec, layer) ? feedForward.sharedSize : feedForward.denseSize;
}
