import { hostname } from 'node:os';
import { AppError, type ClusterSnapshot, type ModelRef, NO_DEVICE_USE, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type TestedDevice } from '@essaim/devices';
import { tellParent } from '@essaim/process';
import { connectControlPlane, type ControlPlaneApi, type GrpcServer, serveWorker } from '@essaim/rpc';
import { type Logger, systemClock } from '@essaim/telemetry';
import { askForModel } from './cluster-model.ts';
import { ControlLink } from './control-link.ts';
import { type WorkerEnvironment } from './environment.ts';
import { Peers } from './peers.ts';
import { notReady, ServedModel } from './served-model.ts';
import { Snapshots } from './snapshots.ts';
import { assertComputes, describeDevice, takeDevice } from './take-device.ts';
import { startWatches } from './watches.ts';

/** Between being asked to stop and leaving although the others still need this worker; loading its experts elsewhere takes a while. */
const DRAIN_MS = 25_000;
const DRAIN_POLL_MS = 50;
/** Between leaving and cutting off the calls that still run. */
const GRACE_MS = 3_000;

/** One worker of the cluster, from listening to leaving. */
export class ClusterWorker {
  readonly #environment: WorkerEnvironment;
  readonly #logger: Logger;
  readonly #snapshots = new Snapshots(systemClock);
  readonly #watches = startWatches();
  readonly #peers: Peers;
  readonly #broken = Promise.withResolvers<never>();
  /** Null until it is known what to serve: expected, or said by the control plane. */
  #served: Promise<ServedModel> | null = null;
  /** From the first snapshot on. */
  #ready: ServedModel | null = null;
  #link: ControlLink | null = null;
  #failure: string | null = null;
  #isDraining = false;

  constructor(environment: WorkerEnvironment, logger: Logger) {
    this.#environment = environment;
    this.#logger = logger;
    this.#peers = new Peers(environment.id, { tls: environment.tls, wireDtype: environment.wireDtype, timed: (work) => this.#watches.lead.within('serialise', work) });
    this.#broken.promise.catch(() => undefined);
  }

  /** Runs until told to stop; fails when the model can't be served, or the cluster does not take this worker. */
  async run(stop: AbortSignal): Promise<void> {
    const device = await takeDevice(this.#environment.device, this.#logger);
    assertComputes(device, this.#environment.computeDtype);
    this.#anticipate(device);
    const server = await this.#serve();
    const control = connectControlPlane(await this.#environment.controlAddress, { tls: this.#environment.tls });
    await tellParent({ kind: 'listening', address: server.address });
    try {
      const served = await Promise.race([aborted(stop), this.#prepare(control, device, stop)]);
      if (served !== undefined) await this.#belong({ control, registration: this.#register(server.address, device, served), served }, stop);
    } finally {
      await server.close({ graceMs: GRACE_MS });
      await this.#served?.then((served) => served.close(), () => undefined);
      this.#peers.close();
      control.close();
    }
  }

  /** Opens what the cluster serves, so that this worker can say what it needs for it. */
  async #prepare(control: ControlPlaneApi, device: TestedDevice, stop: AbortSignal): Promise<ServedModel> {
    const model = await askForModel(control, { clock: systemClock, logger: this.#logger }, stop);
    this.#served ??= this.#open(model, device);
    const served = await this.#served;
    assertServes(served, model);
    return served;
  }

  /** From joining to leaving. */
  async #belong({ control, registration, served }: { readonly control: ControlPlaneApi; readonly registration: WorkerRegistration; readonly served: ServedModel }, stop: AbortSignal): Promise<void> {
    const link = new ControlLink({ control, registration, describe: () => this.#describe(), clock: systemClock, logger: this.#logger, onSnapshot: (snapshot) => this.#follow(snapshot, served) });
    this.#link = link;
    const ended = new AbortController();
    const running = link.run(ended.signal);
    try {
      await Promise.race([aborted(stop), this.#broken.promise, running]);
      await this.#drain(link);
    } finally {
      ended.abort();
      await running.catch(() => undefined);
    }
  }

  /** Takes nothing new and stays until the others can do without: its experts are elsewhere, and what it leads is done. */
  async #drain(link: ControlLink): Promise<void> {
    this.#isDraining = true;
    link.nudge();
    const deadlineMs = systemClock.nowMs() + DRAIN_MS;
    while (this.#isNeeded() && systemClock.nowMs() < deadlineMs) await systemClock.sleep(DRAIN_POLL_MS);
  }

  #isNeeded(): boolean {
    if (this.#ready === null) return false;
    const { id } = this.#environment;
    const { workers, placement } = this.#snapshots.current;
    const others = workers.some((worker) => worker.id !== id && ['joining', 'loading', 'ready'].includes(worker.state));
    const hosts = placement.some((experts) => experts.some((replicas) => replicas.some(({ worker }) => worker === id)));
    return others && (hosts || this.#ready.describe().runningSequences > 0);
  }

  #serve(): Promise<GrpcServer> {
    const { host, port, tls } = this.#environment;
    const served = (): ServedModel => {
      if (this.#ready === null || this.#isDraining) throw notReady();
      return this.#ready;
    };
    return serveWorker(
      {
        lead: { generate: (request, signal) => served().generate(request, signal) },
        // A worker that drains still answers the others: only they know when they no longer need it.
        expert: { execute: async (batch, signal) => (this.#ready ?? served()).execute(batch, signal) },
        epoch: () => this.#snapshots.epoch,
        timed: (work) => this.#watches.expert.within('serialise', work),
      },
      { host, port, tls, onFailure: ({ method, error }) => this.#tellFailure(method, error) },
    );
  }

  /** A caller that leaves is everyday life, and so are calls that end because this worker does. */
  #tellFailure(method: string, error: AppError): void {
    this.#logger[error.code === 'cancelled' || this.#isDraining ? 'debug' : 'warn']({ error, method }, 'a call failed');
  }

  #register(address: string, device: TestedDevice, { room: { memoryBytes, needs }, numerics }: ServedModel): WorkerRegistration {
    const { id, threads } = this.#environment;
    return { id, pid: process.pid, hostname: hostname(), address, roles: { lead: true, expert: true }, device: describeDevice(device, { threads, memoryBytes }), numerics, needs };
  }

  #describe(): Omit<WorkerReport, 'leaseId'> {
    const epoch = this.#snapshots.epoch;
    const nothing = { hosted: [], leadReady: false, progress: { doneBytes: 0, totalBytes: 0 }, runningSequences: 0, waitingSequences: 0, kvUsedBytes: 0, kvBudgetBytes: 0 };
    const model = this.#ready?.describe() ?? { ...nothing, state: 'joining' as const, residentBytes: process.memoryUsage.rss() };
    const times = { lead: this.#watches.lead.read(), expert: this.#watches.expert.read(), device: this.#ready?.deviceUse ?? NO_DEVICE_USE, steps: this.#ready?.steps ?? 0 };
    return { ...model, epoch, times, state: this.#isDraining ? 'draining' : model.state, failure: this.#failure };
  }

  /** Reads what the first placement will want while there is no control plane to say so. What fails now fails again when it is wanted. */
  #anticipate(device: TestedDevice): void {
    const { expected } = this.#environment;
    if (expected === null) return;
    this.#served = this.#open(expected.model, device);
    this.#served.then((served) => served.anticipate(expected)).catch(() => undefined);
  }

  #follow(snapshot: ClusterSnapshot, served: ServedModel): void {
    if (!this.#snapshots.accept(snapshot)) return;
    this.#peers.follow(snapshot);
    this.#load(snapshot, served).catch((thrown: unknown) => this.#giveUp(AppError.from(thrown)));
  }

  async #giveUp(error: AppError): Promise<void> {
    this.#failure = error.message;
    await this.#link?.lastWords();
    this.#broken.reject(error);
  }

  /** Nothing computes in this process any more, and another one may find the device again. Every call that failed with it tells. */
  async #lose(error: AppError): Promise<void> {
    if (this.#failure !== null) return;
    this.#failure = error.message;
    await tellParent({ kind: 'device-lost', message: error.message });
    await this.#giveUp(error);
  }

  async #load(snapshot: ClusterSnapshot, served: ServedModel): Promise<void> {
    assertServes(served, snapshot.model);
    this.#ready = served;
    await served.follow(snapshot);
    this.#link?.nudge();
  }

  #open(ref: ModelRef, device: TestedDevice): Promise<ServedModel> {
    return ServedModel.open({ environment: this.#environment, device, ref, snapshots: this.#snapshots, peers: this.#peers, watches: this.#watches, logger: this.#logger, onChange: () => this.#link?.progressed(), onLost: (error) => void this.#lose(error) });
  }
}

function assertServes(served: ServedModel, model: ModelRef): void {
  if (!served.is(model)) throw new AppError('failed_precondition', `this worker was told to expect ${served.ref.id} and the cluster serves ${model.id}, or another form of it: start it with the variables of that cluster`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
