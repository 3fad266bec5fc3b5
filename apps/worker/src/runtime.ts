import { type ModelSpec, type ModelWeights, type WeightDtype } from '@essaim/core';
import { type TestedDevice } from '@essaim/devices';
import { type Dispatcher, type ExpertRunner } from '@essaim/dispatch';
import { CompiledCache } from '@essaim/files';
import { findInCache, KernelModel, type PanelFile } from '@essaim/kernels';
import { type KvLayout, kvLayoutOf, type KvMemory } from '@essaim/kv';
import { type PanelPiece } from '@essaim/panels';
import { type StepCompute } from '@essaim/runner';
import { type Device, type DeviceRoom, type PieceFile } from '@essaim/runtime';
import { type WorkerEnvironment } from './environment.ts';

/** A piece on disk, in the form of one of the runtimes: the one that compiled it reads it. */
export type CompiledPiece = PanelFile | PieceFile;

/** What computes the model on this worker's device: kernels of our own on a processor, ONNX Runtime on a card. */
export interface Runtime {
  readonly experts: ExpertRunner;
  readonly pieces: Pick<KernelModel, 'has' | 'pieces' | 'unload'> & { load(file: CompiledPiece): Promise<void> };
  readonly kv: { readonly layout: KvLayout; readonly memory: KvMemory };
  compute(dispatcher: Dispatcher): StepCompute;
  /** Fails with `resource_exhausted` where the device can't hold these pieces beside keys, values and what a step computes. */
  admit(pieces: readonly PanelPiece[]): void;
  /** A piece that was compiled before; null for one that was not, and where looking is the compiler's. */
  find(piece: PanelPiece): Promise<CompiledPiece | null>;
  /** Whether an error says that the device is gone for good. */
  isLost(error: unknown): boolean;
}

export interface RuntimeOptions {
  readonly model: { readonly spec: ModelSpec; readonly weights: ModelWeights; readonly dtype: WeightDtype };
  readonly environment: Pick<WorkerEnvironment, 'threads' | 'kvDtype' | 'memoryBytes' | 'kvMemoryBytes' | 'computeDtype'>;
  readonly cacheFolder: string;
  readonly device: TestedDevice;
  /** The most of one step. */
  readonly step: { readonly rows: number; readonly sequences: number };
}

export const openRuntime = (options: RuntimeOptions): Promise<Runtime> => (options.device.provider === 'cpu' ? openKernels(options) : openDevice(options));

async function openKernels({ model, environment: { threads, kvDtype }, cacheFolder }: RuntimeOptions): Promise<Runtime> {
  const threadEntry = threads > 1 ? new URL('./team.thread.js', import.meta.url) : null;
  const kernels = await KernelModel.open({ model, threads, threadEntry });
  const cache = new CompiledCache(cacheFolder);
  return {
    experts: kernels,
    pieces: kernels,
    kv: { layout: kvLayoutOf(model.spec, kvDtype), memory: kernels.kvMemory },
    compute: (dispatcher) => ({ pieces: kernels, dispatcher }),
    admit: () => undefined,
    find: (piece) => findInCache(model, piece, cache),
    isLost: () => false,
  };
}

async function openDevice({ model: compiled, device: { provider, index, memoryBytes, tensorBytes }, environment, step }: RuntimeOptions): Promise<Runtime> {
  // With it comes ONNX Runtime, which a worker on a processor does without.
  const { assertRoom, DeviceLost, DeviceModel } = await import('@essaim/runtime');
  const { spec } = compiled;
  const device: Device = { provider, index };
  const room: DeviceRoom = { memoryBytes: Math.min(environment.memoryBytes, memoryBytes ?? Infinity), kvBytes: environment.kvMemoryBytes, tensorBytes, stepRows: step.rows, sequences: step.sequences };
  const model = await DeviceModel.open({ spec, device, room });
  return {
    experts: model,
    pieces: model,
    kv: { layout: kvLayoutOf(spec, 'f32'), memory: model.kvMemory },
    compute: (dispatcher) => ({ pieces: model, dispatcher }),
    admit: (pieces) => assertRoom(device, { model: { ...compiled, tensorBytes, compute: environment.computeDtype }, pieces, room }),
    find: () => Promise.resolve(null),
    isLost: (error) => error instanceof DeviceLost,
  };
}
