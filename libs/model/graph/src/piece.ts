import { denseSizeOf, expertCount, isRouted, type ModelSpec, type ModelWeights } from '@essaim/core';
import { type MatrixForm } from './weights.ts';

/** Names what is loaded, held and moved as one: the graphs of a part of the model. */
export type PieceKey =
  | { readonly kind: 'embed' }
  | { readonly kind: 'layer'; readonly layer: number }
  | { readonly kind: 'dense'; readonly layer: number }
  | { readonly kind: 'expert'; readonly layer: number; readonly expert: number }
  | { readonly kind: 'head' };

/** What graphs are built from. */
export interface CompiledModel extends MatrixForm {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
}

/** A short name for files and messages: 'layer.3', 'expert.3.17'. */
export function pieceName(key: PieceKey): string {
  switch (key.kind) {
    case 'embed':
    case 'head':
      return key.kind;
    case 'layer':
    case 'dense':
      return `${key.kind}.${key.layer}`;
    case 'expert':
      return `expert.${key.layer}.${key.expert}`;
  }
}

/** The dense part: what a lead worker holds. */
export function leadPieces(spec: ModelSpec): PieceKey[] {
  const kinds = (layer: number) => (denseSizeOf(spec, layer) > 0 ? (['layer', 'dense'] as const) : (['layer'] as const));
  const layers = Array.from({ length: spec.layerCount }, (_, layer) => kinds(layer).map((kind): PieceKey => ({ kind, layer })));
  return [{ kind: 'embed' }, ...layers.flat(), { kind: 'head' }];
}

/** Every routed expert, in (layer, expert) order; none for a dense model. */
export function expertPieces(spec: ModelSpec): PieceKey[] {
  const experts = Array.from({ length: expertCount(spec) }, (_, expert) => expert);
  return Array.from({ length: spec.layerCount }, (_, layer) => (isRouted(spec, layer) ? experts.map((expert): PieceKey => ({ kind: 'expert', layer, expert })) : [])).flat();
}
