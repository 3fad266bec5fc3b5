import { AppError, type ClusterSnapshot, type Lease, leaseId, type LeaseId, type ModelRef, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type ControlPlaneApi, type GrpcServer, type PeerSecurity, serveControlPlane } from '@essaim/rpc';
import { snapshot } from './samples.ts';

export const LEASE_TTL_MS = 3_000;

/** A control plane behind a real socket that remembers what it was told, and knows a lease until it is made to forget it. */
export class TestControlPlane implements ControlPlaneApi {
  /** What it says that the cluster serves. */
  serves: ModelRef = snapshot(0).model;
  /** What joining fails with. */
  refusal: AppError | null = null;
  readonly joins: WorkerRegistration[] = [];
  readonly reports: WorkerReport[] = [];
  readonly left: LeaseId[] = [];
  watches = 0;
  readonly #leases = new Set<LeaseId>();
  #current: ClusterSnapshot | null = null;
  #changed = Promise.withResolvers<void>();
  #server: GrpcServer | null = null;

  /** Port 0 for any free one. */
  static async start({ port = 0, tls = 'insecure-loopback' }: { readonly port?: number; readonly tls?: PeerSecurity } = {}): Promise<TestControlPlane> {
    const control = new TestControlPlane();
    control.#server = await serveControlPlane(control, { host: '127.0.0.1', port, tls });
    return control;
  }

  get address(): string {
    return this.#server!.address;
  }

  get port(): number {
    return this.#server!.port;
  }

  async model(): Promise<ModelRef> {
    return this.serves;
  }

  async join(registration: WorkerRegistration): Promise<Lease> {
    if (this.refusal !== null) throw this.refusal;
    const id = leaseId(`lease-${this.joins.push(registration)}-of-${this.address}`);
    this.#leases.add(id);
    return { id, ttlMs: LEASE_TTL_MS };
  }

  async report(report: WorkerReport): Promise<void> {
    if (!this.#leases.has(report.leaseId)) throw new AppError('not_found', 'the lease is gone: join again');
    this.reports.push(report);
  }

  async leave(lease: LeaseId): Promise<void> {
    this.left.push(lease);
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ClusterSnapshot, void, undefined> {
    this.watches++;
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    for (let seen: ClusterSnapshot | null = null; !signal.aborted; await Promise.race([this.#changed.promise, over.promise])) {
      if (this.#current !== null && this.#current !== seen) yield (seen = this.#current);
    }
  }

  publish(snapshot: ClusterSnapshot): void {
    this.#current = snapshot;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  forgetLeases(): void {
    this.#leases.clear();
  }

  async stop(): Promise<void> {
    await this.#server!.close({ graceMs: 0 });
  }
}
