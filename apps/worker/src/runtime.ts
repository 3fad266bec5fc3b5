import { type ComputeDtype, denseLayerCount, type DeviceUse, expertCount, fittingKvBytes, LIMITS, type MemoryNeeds, type ModelSpec, type ModelWeights, NO_DEVICE_USE, type WeightDtype } from '@essaim/core';
import { type TestedDevice } from '@essaim/devices';
import { type Dispatcher, type ExpertRunner } from '@essaim/dispatch';
import { CompiledCache } from '@essaim/files';
import { findInCache, kernelNeeds, KernelModel, type PanelFile } from '@essaim/kernels';
import { kvBytesPerToken, type KvLayout, kvLayoutOf, type KvMemory } from '@essaim/kv';
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

/** Of a sequence that a worker has memory for at least, if the context is as long. */
const LEAST_KV_TOKENS = 4_096;

export interface RuntimeOptions {
  readonly model: { readonly spec: ModelSpec; readonly weights: ModelWeights; readonly dtype: WeightDtype };
  readonly environment: Pick<WorkerEnvironment, 'threads' | 'kvDtype' | 'kvMemoryBytes' | 'kvMemoryShrinks' | 'expected' | 'computeDtype' | 'runningSequences'>;
  readonly cacheFolder: string;
  readonly device: TestedDevice;
  /** That all of it may take. */
  readonly memoryBytes: number;
}

export const openRuntime = (options: RuntimeOptions): Promise<Runtime> => (options.device.provider === 'cpu' ? openKernels(options) : openDevice(options));

async function openKernels(options: RuntimeOptions): Promise<Runtime> {
  const { model, environment: { threads, kvDtype, runningSequences }, cacheFolder } = options;
  const layout = kvLayoutOf(model.spec, kvDtype);
  const threadEntry = threads > 1 ? new URL('./team.thread.js', import.meta.url) : null;
  const kernels = await KernelModel.open({ model, threads, threadEntry });
  const cache = new CompiledCache(cacheFolder);
  return {
    experts: kernels,
    pieces: kernels,
    kv: { layout, memory: kernels.kvMemory },
    computeDtype: 'f32',
    needs: await needsThatFit(options, layout, (kvBytes) => kernelNeeds({ model, threads, kvBytes, sequences: runningSequences })),
    compute: (dispatcher) => ({ pieces: kernels, dispatcher }),
    find: (piece) => findInCache(model, piece, cache),
    deviceUse: () => NO_DEVICE_USE,
    isLost: () => false,
  };
}

async function openDevice(options: RuntimeOptions): Promise<Runtime> {
  const { model: compiled, device: { provider, index, tensorBytes }, environment: { computeDtype, runningSequences } } = options;
  // With it comes ONNX Runtime, which a worker on a processor does without.
  const { DeviceLost, DeviceModel, deviceNeeds } = await import('@essaim/runtime');
  const { spec } = compiled;
  const device: Device = { provider, index };
  const layout = kvLayoutOf(spec, 'f32');
  const roomWith = (kvBytes: number): DeviceRoom => ({ kvBytes, tensorBytes, stepRows: LIMITS.stepTokens, sequences: runningSequences });
  const needs = await needsThatFit(options, layout, (kvBytes) => deviceNeeds({ ...compiled, tensorBytes, compute: computeDtype }, roomWith(kvBytes)));
  const model = await DeviceModel.open({ spec, device, room: roomWith(needs.kvBytes) });
  return {
    experts: model,
    pieces: model,
    kv: { layout, memory: model.kvMemory },
    computeDtype,
    needs,
    compute: (dispatcher) => ({ pieces: model, dispatcher }),
    find: () => Promise.resolve(null),
    deviceUse: () => model.use,
    isLost: (error) => error instanceof DeviceLost,
  };
}

/** With less for keys and values than the default where the experts that this worker is to expect would not fit beside it. */
async function needsThatFit({ model: { spec }, environment: { kvMemoryBytes, kvMemoryShrinks, expected }, memoryBytes }: RuntimeOptions, layout: KvLayout, needsWith: (kvBytes: number) => MemoryNeeds | Promise<MemoryNeeds>): Promise<MemoryNeeds> {
  const wanted = await needsWith(kvMemoryBytes);
  if (!kvMemoryShrinks || expected === null) return wanted;
  const copies = (spec.layerCount - denseLayerCount(spec)) * expertCount(spec) * expected.replicas;
  const leastBytes = kvBytesPerToken(layout) * Math.min(spec.contextLength, LEAST_KV_TOKENS);
  const kvBytes = fittingKvBytes(memoryBytes, wanted, { experts: Math.ceil(copies / expected.workers), leastBytes });
  return kvBytes === kvMemoryBytes ? wanted : needsWith(kvBytes);
}
