import { AppError, type ModelSpec, rotarySizeOf } from '@essaim/core';
import { layoutOf, PANEL, type PanelModel, panelsNamed, type PieceLayout } from '@essaim/panels';
import { type Arena, arenaOf, type ArenaSizes, JOB_ROWS, widthOf } from './arena.ts';
import { ATTENTION_ROWS } from './attention-parts.ts';
import { type BankSize, roomOf } from './bank.ts';
import { expandingPlaces } from './expanded-heads.ts';
import { instantiate } from './module.ts';
import { type PieceLayouts } from './piece-layouts.ts';

/** Sized for the widest of each kind that a model has. Only what is used of it becomes memory. */
export function arenaFor(spec: ModelSpec, layouts: PieceLayouts, { module, threads }: { readonly module: WebAssembly.Module; readonly threads: number }): Arena {
  const networks = [layouts.expert, ...layouts.dense].filter((layout) => layout !== null);
  const widest = (found: readonly PieceLayout[], width: (layout: PieceLayout) => number): number => found.reduce((most, layout) => Math.max(most, width(layout)), 1);
  const inner = widest(networks, (layout) => panelsNamed(layout, 'down').columns);
  const columns = [...layouts.layers, layouts.head, ...networks].flatMap(({ tensors }) => Object.values(tensors)).filter(({ form }) => form !== 'vector' && form !== 'rows').map((tensor) => tensor.columns);
  const kernels = instantiate(module, new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const scratchBytes = Math.max(...[...new Set(columns)].map((width) => kernels.linearScratchBytes(width, JOB_ROWS)), kernels.attentionScratchBytes(ATTENTION_ROWS, spec.attention.headCount, keySizeOf(spec)));
  const layer = layouts.layers[0]!;
  return arenaOf({
    hidden: widthOf(spec.hiddenSize), rotary: rotarySizeOf(spec.attention), inner: widthOf(inner), experts: spec.feedForward.kind === 'moe' ? spec.feedForward.expertCount : 1,
    vocabulary: spec.vocabSize, threads, scratchBytes, ...attentionSizes(spec, layer),
    expandingBytes: spec.attention.kind === 'mla' ? expandingPlaces(spec.attention, panelsNamed(layer, 'up'), kernels).bytes : 0,
  });
}

/** Fails with `resource_exhausted` for a model whose arena, or one of whose pieces, is larger than a bank. */
export function checkAddressable(model: PanelModel, layouts: PieceLayouts, { size, threads }: { readonly size: BankSize; readonly threads: number }): void {
  const room = roomOf(size);
  const pieces = [layoutOf(model, { kind: 'embed' }), layouts.head, layouts.expert, ...layouts.layers, ...layouts.dense];
  const largest = pieces.reduce((most, layout) => Math.max(most, layout?.bytes ?? 0), 0);
  if (largest <= room) return;
  const needs = `a part of this model has ${largest} bytes at ${model.dtype}, and what ${threads} threads compute with it takes ${size.arenaBytes}`;
  throw new AppError('resource_exhausted', `${needs}: together they are more than the ${size.bytes} that can be addressed at once, so use a smaller dtype or fewer threads`);
}

type AttentionSizes = Pick<ArenaSizes, 'projected' | 'query' | 'attended' | 'queryLatent' | 'queries' | 'perHead' | 'headInput' | 'mixed'>;

function attentionSizes({ attention }: ModelSpec, layer: PieceLayout): AttentionSizes {
  const panels = (name: string): number => panelsNamed(layer, name).panels * PANEL;
  if (attention.kind === 'gqa') {
    return { projected: panels('qkv'), query: 0, attended: widthOf(attention.headCount * attention.headSize), queryLatent: 0, queries: 0, perHead: 0, headInput: 0, mixed: 0 };
  }
  const { headCount, queryRank, latentRank, plainSize, rotarySize, valueSize } = attention;
  return {
    projected: panels('down'), query: headCount * (latentRank + rotarySize), attended: widthOf(headCount * valueSize), queryLatent: queryRank ?? 0,
    queries: queryRank === null ? 0 : panels('query'), perHead: Math.max(panels('keyUp'), panels('up')), headInput: Math.max(plainSize, latentRank), mixed: headCount * latentRank,
  };
}

/** Values of a key, as attention compares it with a query. */
const keySizeOf = ({ attention }: ModelSpec): number => (attention.kind === 'gqa' ? attention.headSize : attention.latentRank + attention.rotarySize);
