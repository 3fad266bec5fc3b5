import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type ClusterSnapshot, type WorkerId, workerId } from '@essaim/core';
import { type GrpcServer, serveControlPlane, type TlsMaterial } from '@essaim/rpc';
import { packageRoot } from '../../package-root.ts';
import { mintCertificates } from '../../up/certificates.ts';
import { Child, type ChildSpec } from '../../up/child.ts';
import { NODE_FLAGS } from '../../up/cluster.ts';
import { clusterEnvironment, serverEnvironment } from '../../up/environment.ts';
import { LogFile } from '../../up/log-file.ts';
import { type UpOptions } from '../../up/options.ts';
import { type StateFolder } from '../../up/state-folder.ts';
import { unchanging } from './control-plane.ts';
import { WORKLOAD } from './workload.ts';

/** A gateway that is ready, and how to reach it. */
export interface GatewayUnderTest {
  readonly pid: number;
  readonly modelId: string;
  /** host:port each. */
  readonly http: string;
  readonly grpc: string;
  /** The lead itself, by name: Node warns whoever asks for a certificate by IP address. */
  readonly lead: string;
  /** What the gateway itself shows the lead. */
  readonly tls: TlsMaterial;
}

const HOST = '127.0.0.1';
const LEAD: WorkerId = workerId('w1');
const START_MS = 60_000;
const GRACE_MS = 5_000;

/** A real gateway in a process of its own, behind it one scripted lead in another; the control plane is in this one, since it only starts them. */
export class ScriptedCluster {
  readonly #options: UpOptions;
  readonly #folder: StateFolder;
  readonly #children: Child[] = [];
  #controlPlane: GrpcServer | null = null;

  constructor(options: UpOptions, folder: StateFolder) {
    this.#options = options;
    this.#folder = folder;
  }

  /** Resolves when a token came through the gateway's first look at the cluster. */
  async start(stop: AbortSignal): Promise<GatewayUnderTest> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(START_MS)]);
    await mintCertificates(this.#folder.tls, { workerIds: [LEAD], host: HOST });
    const worker = this.#fork({ name: `worker-${LEAD}`, entry: join('cli', 'scripted-lead.process.js'), env: { ESSAIM_WORKER_ID: LEAD, ESSAIM_BENCH_STEP_MS: String(WORKLOAD.stepMs) } });
    const { port } = await worker.message('listening', signal);
    this.#controlPlane = await serveControlPlane(unchanging(snapshotOf(this.#options, `${HOST}:${String(port)}`)), { host: HOST, port: 0, tls: this.#tlsOf('control-plane') });
    const env = { ...serverEnvironment(this.#options), ESSAIM_CONTROL_ADDRESS: this.#controlPlane.address };
    const gateway = this.#fork({ name: 'gateway', entry: join('gateway', 'main.js'), env, nodeFlags: NODE_FLAGS.gateway });
    const listening = await gateway.message('listening', signal);
    await gateway.message('ready', signal);
    const { httpPort, grpcPort } = listening;
    return {
      pid: gateway.pid,
      modelId: this.#options.model.id,
      http: `${HOST}:${String(httpPort)}`,
      grpc: `${HOST}:${String(grpcPort)}`,
      lead: `localhost:${String(port)}`,
      tls: this.#tlsOf('gateway'),
    };
  }

  /** Rejects with `unavailable` when one of the processes ends; never resolves. */
  async untilBroken(): Promise<never> {
    return Promise.race(this.#children.map(async (child): Promise<never> => {
      const how = await child.ended;
      throw new AppError('unavailable', `${child.name} (pid ${child.pid}) ended unexpectedly (${how}); ${child.logTail()}`);
    }));
  }

  async stop(hurry: AbortSignal): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop(GRACE_MS, hurry);
    await this.#controlPlane?.close({ graceMs: 0 });
  }

  /** @param spec its entry lies below dist */
  #fork(spec: Omit<ChildSpec, 'log'>): Child {
    const child = new Child({
      ...spec,
      entry: join(packageRoot(), 'dist', spec.entry),
      env: { ...clusterEnvironment(this.#options, this.#folder), ...spec.env, ESSAIM_TLS_NAME: spec.name },
      log: new LogFile(join(this.#folder.logs, `${spec.name}.log`)),
    });
    this.#children.push(child);
    return child;
  }

  #tlsOf(name: string): TlsMaterial {
    const read = (file: string): string => readFileSync(join(this.#folder.tls, file), 'utf8');
    return { caPem: read('ca.pem'), certificatePem: read(`${name}.pem`), privateKeyPem: read(`${name}.key`) };
  }
}

const snapshotOf = ({ model }: UpOptions, address: string): ClusterSnapshot => ({
  clusterId: 'bench', epoch: 1, model, placement: [],
  workers: [{ id: LEAD, address, state: 'ready', roles: { lead: true, expert: false } }],
});
