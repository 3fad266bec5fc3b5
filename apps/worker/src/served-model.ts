import { join } from 'node:path';
import { openCheckpoint, type Checkpoint } from '@essaim/checkpoint';
import { AppError, type ClusterSnapshot, type DeviceUse, LIMITS, type ModelRef, type Numerics, type SequenceEvent, type SequenceRequest, type WorkerReport } from '@essaim/core';
import { Dispatcher, type ExpertBatch, LocalExperts } from '@essaim/dispatch';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { deviceName, type TestedDevice } from '@essaim/devices';
import { KvPool } from '@essaim/kv';
import { expertPieces } from '@essaim/panels';
import { assertRoom, hasRoom, type WorkerRoom } from '@essaim/placement';
import { Engine, ModelRunner } from '@essaim/runner';
import { Scheduler } from '@essaim/scheduler';
import { systemClock, type Logger } from '@essaim/telemetry';
import { AnswerMatchers } from './answer-matchers.ts';
import { CompileThreads } from './compile-threads.ts';
import { type Expectation, type WorkerEnvironment } from './environment.ts';
import { LoadPace } from './load-pace.ts';
import { type Peers } from './peers.ts';
import { Residency } from './residency.ts';
import { openRuntime, type Runtime } from './runtime.ts';
import { type Snapshots } from './snapshots.ts';
import { type Watches } from './watches.ts';

export interface ServedModelOptions {
  readonly environment: WorkerEnvironment;
  readonly device: TestedDevice;
  readonly ref: ModelRef;
  readonly snapshots: Snapshots;
  readonly peers: Peers;
  readonly watches: Watches;
  readonly logger: Logger;
  readonly onChange: () => void;
  /** Told once the device is gone for good. */
  readonly onLost: (error: AppError) => void;
}

/** A step has tokens enough to keep the cores busy with a prompt, but beside answers under way no more than they hardly wait for. */
const STEPS = { stepTokens: LIMITS.stepTokens, pace: { stepMs: 100, leastTokens: 32 } };

/** So long after another lead's call it is likely to call again. */
const CALLED_AGAIN_MS = 1_000;

/** Everything that this worker has of the model: weights, engine, experts. Made once the placement says which model that is. */
export class ServedModel {
  readonly ref: ModelRef;
  readonly room: WorkerRoom;
  readonly numerics: Numerics;
  readonly #checkpoint: Checkpoint;
  readonly #compiler: CompileThreads;
  readonly #residency: Residency;
  readonly #kv: KvPool;
  readonly #engine: Engine;
  readonly #experts: LocalExperts;
  readonly #runtime: Runtime;
  readonly #lostBy: (error: unknown) => void;
  #calledMs = -Infinity;

  private constructor(checkpoint: Checkpoint, runtime: Runtime, { environment, device, ref, snapshots, peers, watches, logger, onChange, onLost }: ServedModelOptions) {
    const { spec, weights } = checkpoint;
    const self = environment.id;
    this.ref = ref;
    this.room = { device: deviceName(device), memoryBytes: memoryBytesOf(environment, device), needs: runtime.needs, dtype: ref.dtype };
    this.numerics = { kvDtype: runtime.kv.layout.dtype, computeDtype: runtime.computeDtype };
    assertRoom(this.room, 0);
    this.#checkpoint = checkpoint;
    this.#runtime = runtime;
    this.#lostBy = (error) => void (runtime.isLost(error) && onLost(AppError.from(error)));
    this.#compiler = new CompileThreads({ model: ref, cacheFolder: cacheFolderOf(environment), threads: environment.threads, card: device.provider === 'cpu' ? null : { tensorBytes: device.tensorBytes, compute: environment.computeDtype } });
    const compiled = { spec, weights, dtype: ref.dtype };
    const pace = new LoadPace({ clock: systemClock, isServing: () => this.#isServing });
    this.#residency = new Residency({ self, compiled, model: runtime.pieces, admit: (experts) => assertRoom(this.room, experts), find: (piece) => runtime.find(piece), compiler: this.#compiler, pace, onChange });
    this.#kv = new KvPool(runtime.kv.layout, runtime.needs.kvBytes, runtime.kv.memory);
    this.#experts = new LocalExperts({ runner: runtime.experts, epoch: () => snapshots.epoch, clock: systemClock, times: watches.expert });
    const dispatcher = new Dispatcher({
      self, local: this.#experts.own, peer: (worker) => peers.get(worker), deterministic: ref.deterministic, clock: systemClock, times: watches.lead,
      snapshot: () => snapshots.current, newerThan: (epoch, signal) => snapshots.newerThan(epoch, signal),
    });
    const matchers = new AnswerMatchers({ directory: ref.directory, vocabSize: spec.vocabSize, logger });
    this.#engine = new Engine({
      self, spec, clock: systemClock, epoch: () => snapshots.epoch, times: watches.lead,
      scheduler: new Scheduler({ waitingSequences: LIMITS.waitingSequences, runningSequences: environment.runningSequences, ...STEPS }, this.#kv),
      runner: new ModelRunner({ spec, ...runtime.compute(dispatcher), evenAttention: ref.deterministic || environment.draftTokens > 0, sameInAnyChunk: ref.deterministic }),
      draftTokens: environment.draftTokens, openMatcher: (constraint) => matchers.open(constraint),
      onStepFailure: (error) => {
        logger.error({ error }, 'a step failed');
        if (runtime.isLost(error)) onLost(error);
      },
    });
  }

  /** Fails with `resource_exhausted` where the worker has too little memory for what it holds beside experts. */
  static async open(options: ServedModelOptions): Promise<ServedModel> {
    const { environment, ref, logger } = options;
    await new CompiledCache(cacheFolderOf(environment)).removeAbandoned(new Date());
    const checkpoint = await openCheckpoint(openCheckpointFolder(ref.directory));
    try {
      const { spec, weights, notes } = checkpoint;
      for (const note of notes) logger.info(note);
      const runtime = await openRuntime({ model: { spec, weights, dtype: ref.dtype }, environment, cacheFolder: cacheFolderOf(environment), device: options.device, memoryBytes: memoryBytesOf(environment, options.device) });
      return new ServedModel(checkpoint, runtime, options);
    } catch (thrown) {
      await checkpoint.close();
      throw thrown;
    }
  }

  /** That this worker led so far. */
  get steps(): number {
    return this.#engine.steps;
  }

  /** What was asked of the card so far. */
  get deviceUse(): DeviceUse {
    return this.#runtime.deviceUse();
  }

  /** Whether it is that model, in the same form. */
  is({ id, directory, dtype, deterministic }: ModelRef): boolean {
    return this.ref.id === id && this.ref.directory === directory && this.ref.dtype === dtype && this.ref.deterministic === deterministic;
  }

  /** Loads what the first placement will want here, as far as that is certain and there is room. */
  anticipate({ workers }: Expectation): Promise<void> {
    const experts = workers === 1 ? expertPieces(this.#checkpoint.spec) : [];
    return this.#residency.anticipate(hasRoom(this.room, experts.length) ? experts : []);
  }

  /** Loads and unloads towards a snapshot. Fails when that is impossible. */
  follow(snapshot: ClusterSnapshot): Promise<void> {
    const held = this.#residency.follow(snapshot);
    held.catch(this.#lostBy);
    return held;
  }

  generate(request: SequenceRequest, signal: AbortSignal): AsyncIterable<SequenceEvent> {
    if (!this.#residency.leadReady) throw notReady();
    return this.#engine.generate(request, signal);
  }

  execute(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    this.#calledMs = systemClock.nowMs();
    const answer = this.#experts.execute(batch, signal);
    answer.catch(this.#lostBy);
    return answer;
  }

  describe(): Pick<WorkerReport, 'state' | 'hosted' | 'leadReady' | 'progress' | 'residentBytes' | 'runningSequences' | 'waitingSequences' | 'kvUsedBytes' | 'kvBudgetBytes'> {
    return {
      state: this.#residency.isComplete ? 'ready' : 'loading',
      hosted: this.#residency.hosted(),
      leadReady: this.#residency.leadReady,
      progress: this.#residency.progress(),
      residentBytes: process.memoryUsage.rss(),
      runningSequences: this.#engine.runningSequences,
      waitingSequences: this.#engine.waitingSequences,
      kvUsedBytes: this.#kv.usedBytes,
      kvBudgetBytes: this.#kv.budgetBytes,
    };
  }

  /** Its own sequences, or those of other leads. */
  get #isServing(): boolean {
    return this.#engine.runningSequences > 0 || systemClock.nowMs() - this.#calledMs < CALLED_AGAIN_MS;
  }

  async close(): Promise<void> {
    this.#engine.close();
    await this.#compiler.close();
    await this.#checkpoint.close();
  }
}

/** Of the device's, as much as it was told. */
const memoryBytesOf = ({ memoryBytes }: WorkerEnvironment, device: TestedDevice): number => (device.provider === 'cpu' ? memoryBytes : Math.min(memoryBytes, device.memoryBytes ?? Infinity));

const cacheFolderOf = ({ stateFolder }: WorkerEnvironment): string => join(stateFolder, 'cache', 'compiled');

export const notReady = (): AppError => new AppError('unavailable', 'this worker is still loading the model: use another one, or try again later');
