import { denseSizeOf, expertCount, type FeedForward, isRouted, type ModelSpec, type ModelWeights, type WeightDtype } from '@essaim/core';
import { BLOCK_SIZE } from '@essaim/quantise';

/** Names one graph of a model. All but `attention`, which has no weights, exist once per layer or model. */
export type PieceKey =
  | { readonly kind: 'embed' }
  | { readonly kind: 'pre'; readonly layer: number }
  | { readonly kind: 'attention'; readonly masked: boolean }
  | { readonly kind: 'output'; readonly layer: number }
  | { readonly kind: 'post'; readonly layer: number }
  | { readonly kind: 'dense'; readonly layer: number }
  | { readonly kind: 'expert'; readonly layer: number; readonly expert: number }
  | { readonly kind: 'head' };

/** What a graph is built from. */
export interface CompiledModel {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  readonly dtype: WeightDtype;
  /** Into how many slices its large pieces are cut, see `slicesFor`. Default: 1. */
  readonly slices?: number;
}

/** Kinds that are one graph, however many slices a model has: their work is small. */
const WHOLE: ReadonlySet<PieceKey['kind']> = new Set<PieceKey['kind']>(['embed', 'post']);

/** How many graphs a piece of this kind is: one per slice, or one. */
export const sliceCount = ({ kind }: PieceKey, slices: number): number => (WHOLE.has(kind) ? 1 : slices);

/** Of one expert or feed-forward layer: below that, meeting takes longer than what is shared. */
const LEAST_SLICE_WEIGHTS = 1 << 20;

/**
 * The most slices, `threads` at most, that a model can be cut into so that each has whole attention heads, whole blocks of quantised
 * weights, and enough to do. A slice has some of the heads, some of each feed-forward layer's inner channels and some of the vocabulary:
 * what the slices of a layer return is added up (tensor parallelism, https://arxiv.org/abs/1909.08053).
 */
export function slicesFor({ attention, feedForward, hiddenSize }: ModelSpec, threads: number): number {
  if (attention.kind !== 'gqa') return 1;
  const sizes = networkSizes(feedForward);
  const suits = (slices: number): boolean =>
    (3 * hiddenSize * feedForward.size) / slices >= LEAST_SLICE_WEIGHTS &&
    attention.kvHeadCount % slices === 0 && ((attention.headCount / slices) * attention.headSize) % BLOCK_SIZE === 0 && sizes.every((size) => size % (slices * BLOCK_SIZE) === 0);
  let slices = Math.min(threads, attention.kvHeadCount);
  while (slices > 1 && !suits(slices)) slices--;
  return Math.max(1, slices);
}

/** Inner channels of every network of a model. */
const networkSizes = (feedForward: FeedForward): number[] =>
  feedForward.kind === 'dense' ? [feedForward.size] : [feedForward.size, feedForward.sharedSize, feedForward.denseLayerCount === 0 ? 0 : feedForward.denseSize];

/** A short name for files and messages: 'post.3', 'expert.3.17'. */
export function pieceName(key: PieceKey): string {
  switch (key.kind) {
    case 'embed':
    case 'head':
      return key.kind;
    case 'attention':
      return key.masked ? 'attention.masked' : 'attention';
    case 'pre':
    case 'output':
    case 'post':
    case 'dense':
      return `${key.kind}.${key.layer}`;
    case 'expert':
      return `expert.${key.layer}.${key.expert}`;
  }
}

/** The dense part: what a lead worker holds. */
export function leadPieces(spec: ModelSpec): PieceKey[] {
  const kinds = (layer: number) => ['pre', 'output', 'post', ...(denseSizeOf(spec, layer) > 0 ? ['dense' as const] : [])] as const;
  const layers = Array.from({ length: spec.layerCount }, (_, layer) => kinds(layer).map((kind): PieceKey => ({ kind, layer })));
  return [{ kind: 'embed' }, { kind: 'attention', masked: false }, { kind: 'attention', masked: true }, ...layers.flat(), { kind: 'head' }];
}

/** Every routed expert, in (layer, expert) order; none for a dense model. */
export function expertPieces(spec: ModelSpec): PieceKey[] {
  const experts = Array.from({ length: expertCount(spec) }, (_, expert) => expert);
  return Array.from({ length: spec.layerCount }, (_, layer) => (isRouted(spec, layer) ? experts.map((expert): PieceKey => ({ kind: 'expert', layer, expert })) : [])).flat();
}
