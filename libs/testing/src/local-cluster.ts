import { openCheckpoint, type Checkpoint } from '@essaim/checkpoint';
import { AppError, type Clock, type ClusterSnapshot, type ComputeDtype, defaultKvDtype, type ExpertKey, hostedExperts, type KvDtype, type ModelSpec, type WeightDtype, type WorkerId } from '@essaim/core';
import { Dispatcher, type ExpertGroup, type ExpertPeer, type ExpertRunner, LocalExperts } from '@essaim/dispatch';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { Matchers, type Vocabulary } from '@essaim/grammar';
import { KernelModel, packIntoCache } from '@essaim/kernels';
import { kvLayoutOf, KvPool } from '@essaim/kv';
import { leadPieces, type PanelPiece } from '@essaim/panels';
import { compileIntoCache, type Device, DeviceModel, GraphCache } from '@essaim/runtime';
import { Engine, ModelRunner, type StepCompute } from '@essaim/runner';
import { Scheduler, type SchedulerLimits } from '@essaim/scheduler';
import { systemClock } from '@essaim/telemetry';
import { spreadExperts, testWorkerId, type PlacementOptions } from './spread-experts.ts';

export interface LocalClusterOptions extends PlacementOptions {
  /** Folder of the checkpoint. */
  readonly directory: string;
  readonly dtype: WeightDtype;
  readonly deterministic: boolean;
  /** Folder of compiled pieces. */
  readonly cache: string;
  /** How keys and values are kept. Default: what goes with `dtype`, and float32 on a device. */
  readonly kvDtype?: KvDtype;
  /** What each worker computes on; null and what is absent stand for the kernels. */
  readonly devices?: readonly (Device | null)[];
  /** What devices multiply matrices in. Default: f32. */
  readonly compute?: ComputeDtype;
  /** The most bytes of a tensor on a device. Default: no bound. */
  readonly tensorBytes?: number | null;
  /** That each model of the kernels computes with. Default: 1. */
  readonly threads?: number;
  /** Of each engine. Default: the machine's. */
  readonly clock?: Clock;
  /** Of each engine. Default: small ones, so that a short prompt comes in chunks. */
  readonly limits?: Partial<SchedulerLimits>;
  /** Tokens that a sequence may guess in a step. Default: none. */
  readonly draftTokens?: number;
  /** What the model's tokens say, for answers that must be something. Default: no answer can be held to anything. */
  readonly vocabulary?: Vocabulary;
  /** Default: where a cluster needs it, deterministic or with guesses. */
  readonly evenAttention?: boolean;
  /** Of the keys and values of all engines together. Default: more than any test needs. */
  readonly kvBytes?: number;
  /** What lies between the leads and the experts of each worker, even a lead's own. Default: nothing. */
  readonly wire?: (experts: ExpertPeer) => Promise<ExpertPeer>;
  /** Told of each step of an engine before it runs: how many tokens of each sequence. */
  readonly onStep?: (tokenCounts: readonly number[]) => void;
  /** Told of each run of a worker's experts; it begins when that resolves. */
  readonly onExperts?: (worker: WorkerId, layer: number, groups: readonly ExpertGroup[]) => Promise<void>;
}

export interface LocalWorker {
  readonly id: WorkerId;
  /** Those of the kernels share one. */
  readonly kv: KvPool;
  readonly engine: Engine;
  readonly runner: ModelRunner;
}

/** The workers of a cluster in one process: real weights, real engines and dispatch, only the sockets between them are left out. */
export interface LocalCluster extends AsyncDisposable {
  readonly spec: ModelSpec;
  readonly kv: KvPool;
  /** All of them lead. */
  readonly workers: readonly LocalWorker[];
  /** From now on every call to that worker's experts fails as if its process were gone. */
  kill(worker: WorkerId): void;
}

const KV_BYTES = 256 << 20;
const LIMITS: SchedulerLimits = { waitingSequences: 64, runningSequences: 32, stepTokens: 64 };

export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { clock = systemClock, draftTokens = 0, evenAttention = options.deterministic || draftTokens > 0 } = options;
  const checkpoint = await openCheckpoint(openCheckpointFolder(options.directory));
  const snapshot = snapshotOf(options, checkpoint.spec);
  const dead = new Set<WorkerId>();
  const models = new Map<WorkerId, LocalModel>();
  for (const [index, { id }] of snapshot.workers.entries()) models.set(id, await load(options, checkpoint, { device: options.devices?.[index] ?? null, experts: hostedExperts(snapshot, id) }));
  const experts = new Map<WorkerId, ExpertPeer>();
  for (const [id, model] of models) {
    const local = new LocalExperts({ runner: observedExperts(model, id, options), epoch: () => snapshot.epoch, clock });
    experts.set(id, options.wire === undefined ? local : await options.wire(local));
  }
  const lead = await loadPanels(options, checkpoint, leadPieces(checkpoint.spec));
  const kv = new KvPool(kvLayoutOf(checkpoint.spec, options.kvDtype ?? defaultKvDtype(options.dtype)), options.kvBytes ?? KV_BYTES, lead.kvMemory);
  const peer = (id: WorkerId): ExpertPeer => ({
    execute: (batch, signal) => (dead.has(id) ? Promise.reject(new AppError('unavailable', `worker ${id} was killed`)) : experts.get(id)!.execute(batch, signal)),
  });
  const workers = snapshot.workers.map(({ id }): LocalWorker => {
    const dispatcher = new Dispatcher({ self: id, local: experts.get(id)!, peer, snapshot: () => snapshot, newerThan: () => Promise.resolve(null), deterministic: options.deterministic, clock });
    const model = models.get(id)!;
    const compute: StepCompute = model instanceof DeviceModel ? { pieces: model, dispatcher } : { pieces: lead, dispatcher };
    const runner = new ModelRunner({ spec: checkpoint.spec, ...compute, evenAttention, sameInAnyChunk: options.deterministic });
    const own = model instanceof DeviceModel ? new KvPool(kvLayoutOf(checkpoint.spec, 'f32'), options.kvBytes ?? KV_BYTES, model.kvMemory) : kv;
    const matchers = options.vocabulary === undefined ? null : new Matchers(options.vocabulary, checkpoint.spec.vocabSize);
    const engine = new Engine({
      self: id, spec: checkpoint.spec, scheduler: new Scheduler({ ...LIMITS, ...options.limits }, own), runner: observed(runner, options), draftTokens,
      clock, epoch: () => snapshot.epoch, ...(matchers === null ? {} : { openMatcher: async (constraint) => matchers.open(constraint) }),
      // Every sequence of the step fails with it: the test sees it there.
      onStepFailure: () => undefined,
    });
    return { id, kv: own, engine, runner };
  });
  return {
    spec: checkpoint.spec, kv, workers,
    kill: (id) => void dead.add(id),
    [Symbol.asyncDispose]: async () => {
      for (const model of [lead, ...models.values()]) await model.close();
      await checkpoint.close();
    },
  };
}

const observed = (runner: ModelRunner, { onStep }: LocalClusterOptions): Pick<ModelRunner, 'forward'> => ({
  forward: (items, signal) => {
    onStep?.(items.map(({ tokenIds }) => tokenIds.length));
    return runner.forward(items, signal);
  },
});

const observedExperts = (model: LocalModel, worker: WorkerId, { onExperts }: LocalClusterOptions): ExpertRunner => ({
  holds: (key) => model.holds(key),
  run: async (layer, groups) => {
    await onExperts?.(worker, layer, groups);
    return model.run(layer, groups);
  },
});

/** What a worker computes with: its experts, and on a device the dense part, too. */
type LocalModel = KernelModel | DeviceModel;

async function load(options: LocalClusterOptions, checkpoint: Checkpoint, { device, experts }: { readonly device: Device | null; readonly experts: readonly ExpertKey[] }): Promise<LocalModel> {
  const pieces = experts.map((key) => ({ kind: 'expert' as const, ...key }));
  return device === null ? loadPanels(options, checkpoint, pieces) : loadGraphs(options, checkpoint, { device, pieces: [...leadPieces(checkpoint.spec), ...pieces] });
}

async function loadPanels({ dtype, cache, threads = 1 }: LocalClusterOptions, { spec, weights }: Checkpoint, pieces: readonly PanelPiece[]): Promise<KernelModel> {
  const model = { spec, weights, dtype };
  const opened = await KernelModel.open({ model, threads, threadEntry: threads > 1 ? new URL('./team.thread.ts', import.meta.url) : null });
  for (const piece of pieces) await opened.load(await packIntoCache(model, piece, new CompiledCache(cache), { onBytes: () => undefined }));
  return opened;
}

async function loadGraphs({ dtype, cache, compute = 'f32', tensorBytes = null }: LocalClusterOptions, { spec, weights }: Checkpoint, { device, pieces }: { readonly device: Device; readonly pieces: readonly PanelPiece[] }): Promise<DeviceModel> {
  const model = await DeviceModel.open({ spec, device });
  for (const piece of pieces) await model.load(await compileIntoCache({ spec, weights, dtype, compute, tensorBytes }, piece, new GraphCache(cache), { onBytes: () => undefined }));
  return model;
}

function snapshotOf(options: LocalClusterOptions, spec: ModelSpec): ClusterSnapshot {
  const { directory, dtype, deterministic, workers } = options;
  const peers = Array.from({ length: workers }, (_, index) => ({ id: testWorkerId(index), address: '', state: 'ready' as const, roles: { lead: true, expert: true } }));
  return { clusterId: 'local', epoch: 1, model: { id: 'model', directory, dtype, deterministic }, workers: peers, placement: spreadExperts(spec, options) };
}
