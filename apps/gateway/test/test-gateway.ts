import { AppError, type ClusterSnapshot, type Replica, type WorkerState } from '@essaim/core';
import { type ControlPlaneApi, type GrpcServer, serveControlPlane } from '@essaim/rpc';
import { createLogger, systemClock } from '@essaim/telemetry';
import { type RunningGateway, startGateway } from '../src/gateway.ts';
import { type ServedModel } from '../src/model/served-model.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { model } from './model.ts';
import { ScriptedLead } from './scripted-lead.ts';

const refuse = (): Promise<never> => Promise.reject(new AppError('unimplemented', 'not in this test'));

/** A control plane that says what the test says. */
class ScriptedControlPlane implements ControlPlaneApi {
  readonly model = refuse;
  readonly join = refuse;
  readonly report = refuse;
  readonly leave = refuse;
  #snapshot: ClusterSnapshot | null = null;
  #changed = Promise.withResolvers<void>();

  publish(snapshot: ClusterSnapshot): void {
    this.#snapshot = snapshot;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ClusterSnapshot> {
    const gone = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => gone.resolve(), { once: true });
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      if (this.#snapshot !== null) yield this.#snapshot;
      await Promise.race([changed, gone.promise]);
    }
  }
}

/** A real gateway between real sockets: scripted leads behind it, a scripted control plane above it. */
export class TestGateway implements AsyncDisposable {
  readonly leads: readonly ScriptedLead[];
  readonly #gateway: RunningGateway;
  readonly #controlPlane: ScriptedControlPlane;
  readonly #controlServer: GrpcServer;
  #epoch = 0;

  constructor(parts: { leads: readonly ScriptedLead[]; gateway: RunningGateway; controlPlane: ScriptedControlPlane; controlServer: GrpcServer }) {
    this.leads = parts.leads;
    this.#gateway = parts.gateway;
    this.#controlPlane = parts.controlPlane;
    this.#controlServer = parts.controlServer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#gateway.httpPort}`;
  }

  get grpcAddress(): string {
    return `127.0.0.1:${this.#gateway.grpcPort}`;
  }

  /** Publishes a new epoch in which each lead is in the given state, by default ready; `missing` of the four experts have no replica. */
  publish({ states = [], missing = 0 }: { readonly states?: readonly WorkerState[]; readonly missing?: number } = {}): void {
    const replicas: Replica[] = [{ worker: this.leads[0]!.id, state: 'ready' }];
    this.#controlPlane.publish({
      clusterId: 'test', epoch: ++this.#epoch,
      model: { id: 'petit', directory: '/nowhere', dtype: 'float32', deterministic: true },
      workers: this.leads.map(({ id, address }, index) => ({ id, address, state: states[index] ?? 'ready', roles: { lead: true, expert: true } })),
      placement: [Array.from({ length: 4 }, (_, expert) => (expert < missing ? [] : replicas))],
    });
  }

  /** Resolves when /readyz has that status. */
  async untilReadyIs(status: number): Promise<void> {
    while ((await fetch(`${this.url}/readyz`)).status !== status) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init, headers: { 'content-type': 'application/json', ...init.headers } });
  }

  /** The control plane is gone for good. */
  async loseControlPlane(): Promise<void> {
    await this.#controlServer.close({ graceMs: 0 });
  }

  drain(graceMs: number): Promise<void> {
    return this.#gateway.drain({ graceMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway.drain({ graceMs: 0 });
    await Promise.all([this.#controlServer.close({ graceMs: 0 }), ...this.leads.map((lead) => lead.die())]);
  }
}

let certificates: Promise<Certificates> | null = null;

interface TestGatewayOptions {
  readonly leads?: number;
  /** The built-in one where none is given. */
  readonly served?: ServedModel;
}

/** Not ready before the test publishes. */
export async function startTestGateway({ leads: count = 1, served = model }: TestGatewayOptions = {}): Promise<TestGateway> {
  const issued = await (certificates ??= createCertificates());
  const controlPlane = new ScriptedControlPlane();
  const controlServer = await serveControlPlane(controlPlane, { host: '127.0.0.1', port: 0, tls: issued.controlPlane });
  const leads = await Promise.all(Array.from({ length: count }, (_, index) => new ScriptedLead(`w${index + 1}`).listen(issued)));
  const gateway = await startGateway({
    controlAddress: controlServer.address, settings: { host: '127.0.0.1', httpPort: 0, grpcPort: 0 },
    model: served, tls: issued.gateway, clock: systemClock, log: createLogger({ component: 'gateway', level: 'silent' }), onReadiness: () => undefined,
  });
  return new TestGateway({ leads, gateway, controlPlane, controlServer });
}

/** Ready to answer. */
export async function startReadyGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  gateway.publish();
  await gateway.untilReadyIs(200);
  return gateway;
}

/** The `data:` lines of a stream, parsed; comments left out. */
export async function readEvents(response: Response): Promise<(Record<string, unknown> | '[DONE]')[]> {
  const lines = (await response.text()).split('\n\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
  return lines.map((line) => (line === '[DONE]' ? line : (JSON.parse(line) as Record<string, unknown>)));
}
