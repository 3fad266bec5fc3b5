import { denseLayerCount, denseSizeOf } from '@essaim/core';
import { layoutOf, type PanelModel, type PieceLayout } from '@essaim/panels';

/** Where the tensors of each piece of a model are, counted from where the piece begins. */
export interface PieceLayouts {
  /** By layer. */
  readonly layers: readonly PieceLayout[];
  /** By layer; null where there is no network that every token passes. */
  readonly dense: readonly (PieceLayout | null)[];
  /** Of every expert; null for a model without. */
  readonly expert: PieceLayout | null;
  readonly head: PieceLayout;
}

export function layoutsOf(model: PanelModel): PieceLayouts {
  const { spec, spec: { layerCount } } = model;
  const layers = Array.from({ length: layerCount }, (_, layer) => layoutOf(model, { kind: 'layer', layer }));
  const dense = Array.from({ length: layerCount }, (_, layer) => (denseSizeOf(spec, layer) > 0 ? layoutOf(model, { kind: 'dense', layer }) : null));
  const firstRouted = denseLayerCount(spec);
  return { layers, dense, expert: firstRouted < layerCount ? layoutOf(model, { kind: 'expert', layer: firstRouted, expert: 0 }) : null, head: layoutOf(model, { kind: 'head' }) };
}
