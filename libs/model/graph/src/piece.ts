import { type ModelSpec, type ModelWeights, type WeightDtype, expertCount } from '@essaim/core';

/** Names one graph of a model. All but `attention`, which has no weights, exist once per layer or model. */
export type PieceKey =
  | { readonly kind: 'embed' }
  | { readonly kind: 'pre'; readonly layer: number }
  | { readonly kind: 'attention'; readonly masked: boolean }
  | { readonly kind: 'post'; readonly layer: number }
  | { readonly kind: 'expert'; readonly layer: number; readonly expert: number }
  | { readonly kind: 'head' };

/** What a graph is built from. */
export interface CompiledModel {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  readonly dtype: WeightDtype;
}

/** A short name for files and messages: 'post.3', 'expert.3.17'. */
export function pieceName(key: PieceKey): string {
  switch (key.kind) {
    case 'embed':
    case 'head':
      return key.kind;
    case 'attention':
      return key.masked ? 'attention.masked' : 'attention';
    case 'pre':
    case 'post':
      return `${key.kind}.${key.layer}`;
    case 'expert':
      return `expert.${key.layer}.${key.expert}`;
  }
}

/** The dense part: what a lead worker holds. */
export function leadPieces({ layerCount }: ModelSpec): PieceKey[] {
  const layers = Array.from({ length: layerCount }, (_, layer): PieceKey[] => [{ kind: 'pre', layer }, { kind: 'post', layer }]);
  return [{ kind: 'embed' }, { kind: 'attention', masked: false }, { kind: 'attention', masked: true }, ...layers.flat(), { kind: 'head' }];
}

/** Every routed expert, in (layer, expert) order; none for a dense model. */
export function expertPieces(spec: ModelSpec): PieceKey[] {
  const experts = Array.from({ length: expertCount(spec) }, (_, expert) => expert);
  return Array.from({ length: spec.layerCount }, (_, layer) => experts.map((expert): PieceKey => ({ kind: 'expert', layer, expert }))).flat();
}
