import { join } from 'node:path';
import { AppError, assert } from '@essaim/core';
import { type ChildMessage } from '@essaim/process';
import { packageRoot } from '../package-root.ts';
import { addressesOf, type Addresses } from './addresses.ts';
import { Child } from './child.ts';
import { LogFile } from './log-file.ts';
import { clusterEnvironment, serverEnvironment, workerEnvironment } from './environment.ts';
import { type UpOptions } from './options.ts';
import { type StateFolder } from './state-folder.ts';

/** From the start of a process until it listens; on a busy small machine the first one takes seconds. */
const LISTENING_MS = 60_000;
/** From listening until a token came out; compiling a large checkpoint for the first time takes long. */
const LOADING_MS = 6 * 3_600_000;
/** What each process gets between SIGTERM and SIGKILL: a gateway waits for the answers under way. */
const GRACE_MS = { gateway: 15_000, worker: 5_000, 'control-plane': 5_000 };

type Role = keyof typeof GRACE_MS;

interface Member {
  readonly role: Role;
  readonly child: Child;
  /** Of its name, this one included. */
  readonly starts: number;
}

/** A worker whose device is lost more often has a device that is broken. */
const MOST_STARTS = 4;

/**
 * Room for young objects, in MiB: with Node's default of 16 a process grows by several times of what it needs. A gateway's objects live for
 * one token or for a whole answer (BENCHMARKS.md, gateway); a worker's large ones lie elsewhere; a control plane makes few.
 */
export const NODE_FLAGS: Readonly<Record<Role, readonly string[]>> = {
  gateway: ['--max-semi-space-size=8'],
  worker: ['--max-semi-space-size=4'],
  'control-plane': ['--max-semi-space-size=1'],
};

/** The processes of one cluster. They start at the same time, since loading code is most of a start, and stop in the reverse of the order in which they need each other. */
export class Cluster {
  readonly #options: UpOptions;
  readonly #folder: StateFolder;
  readonly #children: Member[] = [];
  #addresses: Addresses | null = null;
  #stopping = false;

  constructor(options: UpOptions, folder: StateFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  get addresses(): Addresses {
    assert(this.#addresses, 'a cluster has addresses once it is started');
    return this.#addresses;
  }

  get workerIds(): readonly string[] {
    return Array.from({ length: this.#options.workers }, (_, index) => `w${index + 1}`);
  }

  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    return this.#children.map(({ child }) => ({ name: child.name, pid: child.pid }));
  }

  get runningWorkers(): number {
    return this.#workers().filter((worker) => worker.isRunning).length;
  }

  /** Resolves when every process listens; `addresses` is known then. */
  async start(signal: AbortSignal): Promise<void> {
    const { host, ports } = this.#options;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(LISTENING_MS)]);
    const controlPlane = this.#fork('control-plane', 'control-plane', serverEnvironment(this.#options));
    const gateway = this.#fork('gateway', 'gateway', serverEnvironment(this.#options));
    const workers = this.workerIds.map((id) => this.#fork('worker', `worker-${id}`, workerEnvironment(id, this.#options)));
    const controlPort = async (): Promise<number> => {
      const { controlPort: control } = await controlPlane.message('control', deadline);
      const { control: address } = addressesOf(host, { ...ports, control });
      for (const child of [gateway, ...workers]) child.tell({ kind: 'control-plane', address });
      return control;
    };
    const [control, ...listening] = await Promise.all([controlPort(), ...[controlPlane, gateway, ...workers].map((child) => child.message('listening', deadline))]);
    this.#addresses = addressesOf(host, { control, admin: portOf(listening[0]!, 'adminPort'), http: portOf(listening[1]!, 'httpPort'), grpc: portOf(listening[1]!, 'grpcPort') });
  }

  /** Resolves with the placement's epoch when a token came out of it; rejects as soon as any process gives up. */
  async ready(signal: AbortSignal): Promise<number> {
    const over = new AbortController();
    const patience = AbortSignal.any([signal, over.signal, AbortSignal.timeout(LOADING_MS)]);
    const gateway = this.#only('gateway');
    try {
      const others = this.#children.filter(({ child }) => child !== gateway).map(async ({ child }) => child.message('failed', patience).then(({ message }) => Promise.reject(new AppError('unavailable', message))));
      const { epoch } = await Promise.race([gateway.message('ready', patience), ...others]);
      return epoch;
    } finally {
      over.abort();
    }
  }

  /** Lasts as long as the cluster can serve; resolves with the sentence that says why it no longer can. */
  async untilBroken(onWorkerLost: (sentence: string) => void): Promise<string> {
    return Promise.race(this.#children.map((each) => this.#untilMissed(each, onWorkerLost)));
  }

  /** Lasts as long as the cluster can do without this process. */
  async #untilMissed({ role, child, starts }: Member, onWorkerLost: (sentence: string) => void): Promise<string> {
    const how = await child.ended;
    const why = child.failure ?? `${child.name} (pid ${child.pid}) ended unexpectedly (${how}); ${child.logTail()}`;
    if (this.#stopping) return new Promise<never>(() => undefined);
    if (role !== 'worker') return why;
    if (child.deviceLoss !== null && starts < MOST_STARTS) {
      onWorkerLost(`worker ${child.name} (pid ${child.pid}) starts again: ${child.deviceLoss}`);
      return this.#untilMissed(this.#startAgain(child.name, starts + 1), onWorkerLost);
    }
    if (this.runningWorkers === 0) return `the last worker is gone: ${why}`;
    onWorkerLost(`worker ${child.name} (pid ${child.pid}) is gone (${how}); its experts move to the other ${this.runningWorkers}`);
    return new Promise<never>(() => undefined);
  }

  #startAgain(id: string, starts: number): Member {
    const child = this.#fork('worker', `worker-${id}`, workerEnvironment(id, this.#options), starts);
    child.tell({ kind: 'control-plane', address: this.addresses.control });
    return this.#children.at(-1)!;
  }

  /** Drains and ends every process, the gateway first so that answers under way can finish. `hurry` kills at once. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const role of ['gateway', 'worker', 'control-plane'] as const) {
      await Promise.all(this.#children.filter((each) => each.role === role).map(({ child }) => child.stop(GRACE_MS[role], hurry)));
    }
  }

  #workers(): Child[] {
    return this.#children.filter(({ role }) => role === 'worker').map(({ child }) => child);
  }

  #only(role: Role): Child {
    const found = this.#children.find((each) => each.role === role);
    assert(found, `the cluster has a ${role}`);
    return found.child;
  }

  #fork(role: Role, name: string, env: Record<string, string>, starts = 1): Child {
    const child = new Child({
      name: role === 'worker' ? name.replace('worker-', '') : name,
      entry: join(packageRoot(), 'dist', role, 'main.js'),
      env: { ...clusterEnvironment(this.#options, this.#folder), ...env, ESSAIM_TLS_NAME: name, ESSAIM_CONTROL_ADDRESS: '', NODE_COMPILE_CACHE: join(this.#folder.path, 'cache', 'code') },
      log: new LogFile(join(this.#folder.logs, `${name}.log`)),
      nodeFlags: this.#nodeFlags(role, name),
    });
    this.#children.push({ role, child, starts });
    return child;
  }

  #nodeFlags(role: Role, name: string): readonly string[] {
    const { profileFolder } = this.#options;
    const isProfiled = profileFolder !== undefined && name === `worker-${this.workerIds[0]}`;
    return [...NODE_FLAGS[role], ...(isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`] : [])];
  }
}

function portOf(message: ChildMessage & { kind: 'listening' }, name: string): number {
  const port = message[name];
  assert(typeof port === 'number', `a listening message carries ${name}`);
  return port;
}
