import { AppError, type Clock, type ClusterSnapshot, type Lease, LIMITS, type WorkerRegistration, type WorkerReport } from '@essaim/core';
import { type ControlPlaneApi } from '@essaim/rpc';
import { type Logger } from '@essaim/telemetry';

export interface ControlLinkOptions {
  readonly control: ControlPlaneApi;
  readonly registration: WorkerRegistration;
  /** What this worker is now; the lease is added. */
  readonly describe: () => Omit<WorkerReport, 'leaseId'>;
  readonly onSnapshot: (snapshot: ClusterSnapshot) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two attempts to reach a control plane that is away. */
const RETRY_MS = 250;
/** The lease is given back on the way out, but nobody waits long for that. */
const LEAVE_MS = 1_000;
const REPORTS_PER_LEASE = 3;
/** Between two reports: a longer lease is no reason to know less. */
const REPORT_MS = LIMITS.leaseTtlMs / REPORTS_PER_LEASE;
/** Between two reports of progress: weights load in hundreds of pieces, and every report is work for all who watch. */
const PROGRESS_MS = 50;

/** This worker's tie to the control plane: it joins, reports, follows the placement, and does so again for as long as it runs. */
export class ControlLink {
  readonly #options: ControlLinkOptions;
  #lease: Lease | null = null;
  #news = Promise.withResolvers<void>();
  #progress = Promise.withResolvers<void>();

  constructor(options: ControlLinkOptions) {
    this.#options = options;
  }

  /** Reports now rather than at the next third of the lease. */
  nudge(): void {
    this.#news.resolve();
  }

  /** Reports soon: for what changes many times a second. */
  progressed(): void {
    this.#progress.resolve();
  }

  /** One report more, before this worker gives up; that nobody hears it is no reason to stay. */
  async lastWords(): Promise<void> {
    if (this.#lease === null) return;
    await this.#options.control.report({ leaseId: this.#lease.id, ...this.#options.describe() }, AbortSignal.timeout(LEAVE_MS)).catch(() => undefined);
  }

  /** Until the signal aborts; then the lease is given back. The placement in force stays in force while the control plane is away. Fails when the cluster does not take this worker. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([this.#keepReporting(stop), this.#keepWatching(stop)]);
    if (this.#lease !== null) await this.#options.control.leave(this.#lease.id, AbortSignal.timeout(LEAVE_MS)).catch(() => undefined);
  }

  async #keepReporting(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) await this.#orRetry('report', stop, () => this.#reportOnce(stop));
  }

  async #reportOnce(stop: AbortSignal): Promise<void> {
    const { control, registration, describe } = this.#options;
    this.#lease ??= await control.join(registration, stop);
    this.#news = Promise.withResolvers();
    this.#progress = Promise.withResolvers();
    try {
      await control.report({ leaseId: this.#lease.id, ...describe() }, stop);
    } catch (thrown) {
      if (AppError.from(thrown).code !== 'not_found') throw thrown;
      this.#lease = null;
      return;
    }
    await this.#untilNews(Math.min(this.#lease.ttlMs / REPORTS_PER_LEASE, REPORT_MS), stop);
  }

  async #untilNews(durationMs: number, stop: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([stop, over.signal]);
    const waited = async (ms: number): Promise<void> => this.#options.clock.sleep(ms, either).catch(() => undefined);
    await Promise.race([waited(durationMs), this.#news.promise, this.#progress.promise.then(() => waited(PROGRESS_MS))]);
    over.abort();
  }

  async #keepWatching(stop: AbortSignal): Promise<void> {
    const { control, onSnapshot } = this.#options;
    while (!stop.aborted) {
      await this.#orRetry('watch', stop, async () => {
        for await (const snapshot of control.watch(stop)) onSnapshot(snapshot);
        if (!stop.aborted) throw new AppError('unavailable', 'the control plane ended the watch');
      });
    }
  }

  async #orRetry(what: string, stop: AbortSignal, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      if (stop.aborted) return;
      const error = AppError.from(thrown);
      if (error.code === 'failed_precondition') throw error;
      this.#options.logger.warn({ error }, `the control plane could not be reached to ${what}; trying again`);
      await this.#options.clock.sleep(RETRY_MS, stop).catch(() => undefined);
    }
  }
}
