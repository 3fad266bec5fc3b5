import { type ComputeDtype, type DeviceUse, LIMITS, type MemoryNeeds, type ModelSpec, type ModelWeights, NO_DEVICE_USE, type WeightDtype } from '@essaim/core';
import { type TestedDevice } from '@essaim/devices';
import { type Dispatcher, type ExpertRunner } from '@essaim/dispatch';
import { CompiledCache } from '@essaim/files';
import { findInCache, kernelNeeds, KernelModel, type PanelFile } from '@essaim/kernels';
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
  readonly computeDtype: ComputeDtype;
  readonly needs: MemoryNeeds;
  /** A piece that was compiled before; null for one that was not, and where looking is the compiler's. */
  find(piece: PanelPiece): Promise<CompiledPiece | null>;
  /** What was asked of the card so far. */
  deviceUse(): DeviceUse;
  /** Whether an error says that the device is gone for good. */
  isLost(error: unknown): boolean;
}

export interface RuntimeOptions {
  readonly model: { readonly spec: ModelSpec; readonly weights: ModelWeights; readonly dtype: WeightDtype };
  readonly environment: Pick<WorkerEnvironment, 'threads' | 'kvDtype' | 'kvMemoryBytes' | 'computeDtype' | 'runningSequences'>;
  readonly cacheFolder: string;
  readonly device: TestedDevice;
}

export const openRuntime = (options: RuntimeOptions): Promise<Runtime> => (options.device.provider === 'cpu' ? openKernels(options) : openDevice(options));

async function openKernels({ model, environment: { threads, kvDtype, kvMemoryBytes, runningSequences }, cacheFolder }: RuntimeOptions): Promise<Runtime> {
  const threadEntry = threads > 1 ? new URL('./team.thread.js', import.meta.url) : null;
  const kernels = await KernelModel.open({ model, threads, threadEntry });
  const cache = new CompiledCache(cacheFolder);
  return {
    experts: kernels,
    pieces: kernels,
    kv: { layout: kvLayoutOf(model.spec, kvDtype), memory: kernels.kvMemory },
    computeDtype: 'f32',
    needs: await kernelNeeds({ model, threads, kvBytes: kvMemoryBytes, sequences: runningSequences }),
    compute: (dispatcher) => ({ pieces: kernels, dispatcher }),
    find: (piece) => findInCache(model, piece, cache),
    deviceUse: () => NO_DEVICE_USE,
    isLost: () => false,
  };
}

async function openDevice({ model: compiled, device: { provider, index, tensorBytes }, environment: { kvMemoryBytes, computeDtype, runningSequences } }: RuntimeOptions): Promise<Runtime> {
  // With it comes ONNX Runtime, which a worker on a processor does without.
  const { DeviceLost, DeviceModel, deviceNeeds } = await import('@essaim/runtime');
  const { spec } = compiled;
  const device: Device = { provider, index };
  const room: DeviceRoom = { kvBytes: kvMemoryBytes, tensorBytes, stepRows: LIMITS.stepTokens, sequences: runningSequences };
  const model = await DeviceModel.open({ spec, device, room });
  return {
    experts: model,
    pieces: model,
    kv: { layout: kvLayoutOf(spec, 'f32'), memory: model.kvMemory },
    computeDtype,
    needs: deviceNeeds({ ...compiled, tensorBytes, compute: computeDtype }, room),
    compute: (dispatcher) => ({ pieces: model, dispatcher }),
    find: () => Promise.resolve(null),
    deviceUse: () => model.use,
    isLost: (error) => error instanceof DeviceLost,
  };
}
