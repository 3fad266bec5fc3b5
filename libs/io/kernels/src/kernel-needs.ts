import { LIMITS, type MemoryNeeds } from '@essaim/core';
import { layoutOf, leadPieces, type PanelModel } from '@essaim/panels';
import { BANK_BYTES } from './bank.ts';
import { arenaFor } from './model-arena.ts';
import { kernelsModule } from './module.ts';
import { layoutsOf } from './piece-layouts.ts';

export interface KernelNeedsOptions {
  readonly model: PanelModel;
  /** That compute. */
  readonly threads: number;
  /** What keys and values may take. */
  readonly kvBytes: number;
  /** The most sequences of a step. */
  readonly sequences: number;
}

const FLOAT_BYTES = 4;
/** Rows that a step has outside the kernels' memory: the residual stream, what attention and experts make of it, and what comes from other workers or goes there. */
const ROW_ARRAYS = 6;

/** What a worker that leads holds on the processor, beside so many experts as there is room for. Nothing of the weights is read. */
export async function kernelNeeds({ model, threads, kvBytes, sequences }: KernelNeedsOptions): Promise<MemoryNeeds> {
  const layouts = layoutsOf(model);
  const denseBytes = leadPieces(model.spec).reduce((sum, piece) => sum + layoutOf(model, piece).bytes, 0);
  const arena = arenaFor(model.spec, layouts, { module: await kernelsModule(), threads });
  const { hiddenSize, vocabSize } = model.spec;
  // Each bank has an arena of which what is used becomes memory: all of it beside the dense part and beside keys and values, next to nothing where there are experts alone.
  const arenas = banksFor(denseBytes) + banksFor(kvBytes);
  const rowBytes = FLOAT_BYTES * (LIMITS.stepTokens * ROW_ARRAYS * hiddenSize + sequences * vocabSize);
  return { denseBytes, kvBytes, kvSlackBytes: 0, stepBytes: arenas * arena.bytes + rowBytes, expertBytes: layouts.expert?.bytes ?? 0 };
}

const banksFor = (bytes: number): number => Math.ceil(bytes / BANK_BYTES);
