import { mkdtemp, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError, type ModelSpec } from '@essaim/core';
import { CompiledCache } from '@essaim/files';
import { KernelModel, packIntoCache, type PanelFile } from '@essaim/kernels';
import { layoutOf, type PanelModel, type PanelPiece } from '@essaim/panels';
import { type QuantisedDtype } from '@essaim/quantise';
import { memoryOf } from '../memory.ts';
import { check, type Checked } from './check.ts';
import { type ShapeName } from './models.ts';
import { randomModel } from './random-model.ts';
import { type PieceTimes, timePieces } from './times.ts';

export interface ShapeCase {
  readonly name: ShapeName;
  readonly dtype: QuantisedDtype;
  /** Of the layer's 128, that are packed, loaded and run. */
  readonly experts: number;
}

export interface MeasureOptions {
  /** One routed layer with latent attention. */
  readonly spec: ModelSpec;
  readonly threads: number;
  readonly rounds: number;
  /** For the packed weights, which are taken away again. */
  readonly folder: string;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A part of the model that is packed, loaded and timed as one. */
export interface ShapePart extends PieceTimes {
  readonly name: string;
  readonly weightBytes: number;
  readonly packSeconds: number;
  readonly loadSeconds: number;
  /** Root mean square of the difference to float64, over that of the values, in the worst row. */
  readonly error: number;
}

export interface ShapeFigures extends ShapeCase {
  readonly parts: readonly ShapePart[];
  /** Of this process, the highest so far; null where the system doesn't tell. */
  readonly peakPackingBytes: number | null;
  readonly peakBytes: number | null;
}

/** Beside this file, from source as well as bundled. */
const THREAD = pathToFileURL(join(import.meta.dirname, `team.thread${extname(import.meta.filename)}`));
const SEED = 1;
/** For what is computed, and for this process itself. */
const SPARE_BYTES = 2e9;

/** Packs, loads, checks and times one layer, the embedding and the head. Fails with `resource_exhausted` before it begins where memory is too little. */
export async function measureShape(shape: ShapeCase, { spec, threads, rounds, folder, note, signal }: MeasureOptions): Promise<ShapeFigures> {
  const weights = randomModel(spec, SEED);
  const panels: PanelModel = { spec, weights, dtype: shape.dtype };
  const parts = partsOf(shape.experts).map(({ name, role, pieces }) => ({ name, role, pieces, weightBytes: pieces.reduce((sum, piece) => sum + layoutOf(panels, piece).bytes, 0) }));
  requireMemory(parts.reduce((sum, { weightBytes }) => sum + weightBytes, SPARE_BYTES));
  const cacheFolder = await mkdtemp(join(folder, 'shapes-'));
  const model = await KernelModel.open({ model: panels, threads, threadEntry: threads > 1 ? THREAD : null });
  try {
    const cache = new CompiledCache(cacheFolder);
    const packed: { files: PanelFile[]; packSeconds: number }[] = [];
    for (const { name, pieces } of parts) {
      note(`packing ${name}`);
      packed.push(await timed(async () => inTurn(pieces, signal, (piece) => packIntoCache(panels, piece, cache, { onBytes: () => undefined })), (files, packSeconds) => ({ files, packSeconds })));
    }
    const peakPackingBytes = await peakBytes();
    const loadSeconds: number[] = [];
    for (const { files } of packed) loadSeconds.push(await timed(async () => inTurn(files, signal, (file) => model.load(file)), (_, seconds) => seconds));
    note('checking against float64');
    const errors = await check({ model, spec, weights, dtype: shape.dtype, experts: shape.experts });
    note('timing');
    const times = await timePieces({ model, spec, experts: shape.experts, rounds, signal });
    const figures = parts.map(({ name, role, weightBytes }, nth) => ({ name, weightBytes, packSeconds: packed[nth]!.packSeconds, loadSeconds: loadSeconds[nth]!, error: errors[role], ...times[role] }));
    return { ...shape, parts: figures, peakPackingBytes, peakBytes: await peakBytes() };
  } finally {
    await model.close();
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

interface Part {
  readonly name: string;
  readonly role: keyof Checked;
  readonly pieces: readonly PanelPiece[];
}

function partsOf(experts: number): Part[] {
  return [
    { name: 'embedding', role: 'embedding', pieces: [{ kind: 'embed' }] },
    { name: 'attention and router', role: 'attention', pieces: [{ kind: 'layer', layer: 0 }] },
    { name: 'shared expert', role: 'shared', pieces: [{ kind: 'dense', layer: 0 }] },
    { name: `${experts} experts`, role: 'experts', pieces: Array.from({ length: experts }, (_, expert): PanelPiece => ({ kind: 'expert', layer: 0, expert })) },
    { name: 'head', role: 'head', pieces: [{ kind: 'head' }] },
  ];
}

function requireMemory(bytes: number): void {
  const free = process.availableMemory();
  if (bytes > free) throw new AppError('resource_exhausted', `these weights need ${(bytes / 1e9).toFixed(1)} GB of memory and ${(free / 1e9).toFixed(1)} GB are free: measure fewer experts with --experts, or --dtype int4`);
}

async function inTurn<In, Out>(all: readonly In[], signal: AbortSignal, act: (each: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (const each of all) {
    if (signal.aborted) throw new AppError('cancelled', 'interrupted before everything was measured');
    results.push(await act(each));
  }
  return results;
}

async function timed<Out, Result>(act: () => Promise<Out>, toResult: (out: Out, seconds: number) => Result): Promise<Result> {
  const startMs = performance.now();
  const out = await act();
  return toResult(out, (performance.now() - startMs) / 1_000);
}

const peakBytes = async (): Promise<number | null> => (await memoryOf(process.pid))?.peakBytes ?? null;
