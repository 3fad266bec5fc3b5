import { groupedQueryOf, type ModelSpec } from '@essaim/core';
import { PANEL, panelsNamed, type PieceLayout } from '@essaim/panels';
import { type Arena, arenaOf, JOB_ROWS, widthOf } from './arena.ts';
import { Bank } from './bank.ts';
import { instantiate } from './module.ts';
import { ATTENTION_ROWS, type PieceLayouts } from './program.ts';

/** Sized for the widest of each kind that a model has. Only what is used of it becomes memory. */
export function arenaFor(spec: ModelSpec, layouts: PieceLayouts, { module, threads }: { readonly module: WebAssembly.Module; readonly threads: number }): { readonly arena: Arena; readonly scratchBytes: number } {
  const networks = [layouts.expert, ...layouts.dense].filter((layout) => layout !== null);
  const widest = (found: readonly PieceLayout[], width: (layout: PieceLayout) => number): number => found.reduce((most, layout) => Math.max(most, width(layout)), 1);
  const { headCount, headSize } = groupedQueryOf(spec);
  const inner = widest(networks, (layout) => panelsNamed(layout, 'down').columns);
  const query = headCount * headSize;
  const kernels = instantiate(module, new Bank(0).memory);
  const scratchBytes = Math.max(...[spec.hiddenSize, query, inner].map((columns) => kernels.linearScratchBytes(columns, JOB_ROWS)), kernels.attentionScratchBytes(ATTENTION_ROWS, headCount, headSize));
  const arena = arenaOf({
    hidden: widthOf(spec.hiddenSize), projected: widest(layouts.layers, (layout) => panelsNamed(layout, 'qkv').panels * PANEL), query, attended: widthOf(query), rotary: headSize,
    inner: widthOf(inner), experts: spec.feedForward.kind === 'moe' ? spec.feedForward.expertCount : 1, vocabulary: spec.vocabSize, threads, scratchBytes,
  });
  return { arena, scratchBytes };
}
