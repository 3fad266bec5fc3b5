import { denseSizeOf, expertCount, isRouted, type ModelSpec, type ModelWeights, type WeightDtype } from '@essaim/core';

/** Names what is loaded, held and moved as one: a file of weights. */
export type PanelPiece =
  | { readonly kind: 'embed' }
  | { readonly kind: 'layer'; readonly layer: number }
  | { readonly kind: 'dense'; readonly layer: number }
  | { readonly kind: 'expert'; readonly layer: number; readonly expert: number }
  | { readonly kind: 'head' };

/** What pieces are made from. */
export interface PanelModel {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** Of the matrices. The router and norms are float32, the embedding is as the checkpoint has it. */
  readonly dtype: WeightDtype;
}

/** A short name for files and messages: 'layer.3', 'expert.3.17'. */
export function pieceName(piece: PanelPiece): string {
  switch (piece.kind) {
    case 'embed':
    case 'head':
      return piece.kind;
    case 'layer':
    case 'dense':
      return `${piece.kind}.${piece.layer}`;
    case 'expert':
      return `expert.${piece.layer}.${piece.expert}`;
  }
}

/** The dense part: what a lead worker holds, in the order in which a step needs it. */
export function leadPieces(spec: ModelSpec): PanelPiece[] {
  const kinds = (layer: number) => (denseSizeOf(spec, layer) > 0 ? (['layer', 'dense'] as const) : (['layer'] as const));
  const layers = Array.from({ length: spec.layerCount }, (_, layer) => kinds(layer).map((kind): PanelPiece => ({ kind, layer })));
  return [{ kind: 'embed' }, ...layers.flat(), { kind: 'head' }];
}

/** Every routed expert, in (layer, expert) order; none for a dense model. */
export function expertPieces(spec: ModelSpec): PanelPiece[] {
  const experts = Array.from({ length: expertCount(spec) }, (_, expert) => expert);
  return Array.from({ length: spec.layerCount }, (_, layer) => (isRouted(spec, layer) ? experts.map((expert): PanelPiece => ({ kind: 'expert', layer, expert })) : [])).flat();
}
