import { AppError, type Clock, type ClusterSnapshot, GREEDY, requestId, sequenceId, type SequenceRequest } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';
import { untilAborted } from '../until-aborted.ts';
import { type ClusterView, type Known } from './cluster-view.ts';
import { type LeadPool } from './lead-pool.ts';
import { servabilityOf } from './servability.ts';

export type ReadinessState = { readonly kind: 'ready'; readonly epoch: number } | { readonly kind: 'not_ready'; readonly reason: string };

export interface ReadinessOptions {
  readonly view: ClusterView;
  readonly leads: LeadPool;
  readonly clock: Clock;
  readonly log: Logger;
  /** Any id of the vocabulary: what a probe's prompt is made of. */
  readonly probeTokenId: number;
  readonly onChange: (state: ReadinessState) => void;
}

const PROBE_MS = 10_000;
const RETRY_MS = 500;
/** Experts that load one by one bring an epoch each, and the last of them tells whether all is well. */
const SETTLE_MS = 1_000;
/** So long a probe may take before a gateway that is ready no longer counts as that. */
const DOUBT_MS = 2_000;

/**
 * Ready means that a token was generated through the placement of now. While that gives way to another that should serve as well, a gateway
 * stays ready, and probes once no newer one has come for a second: experts on the move don't take it out of service, nor cost a token each.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  #state: ReadinessState = { kind: 'not_ready', reason: 'this gateway is starting: retry in a few seconds' };

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  get state(): ReadinessState {
    return this.#state;
  }

  /** Runs until the signal aborts; from then on this gateway is not ready. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#verify(this.#options.view.known, signal);
    this.#become({ kind: 'not_ready', reason: 'this gateway is shutting down: use another one' });
  }

  /** Returns when there is a newer look at the cluster, or when it is time to probe the same one again. */
  async #verify({ snapshot, replaced }: Known, signal: AbortSignal): Promise<void> {
    const outdated = AbortSignal.any([signal, replaced]);
    const servability = servabilityOf(snapshot);
    if (servability.kind === 'refused') {
      this.#become({ kind: 'not_ready', reason: servability.reason });
      return untilAborted(outdated);
    }
    const { epoch } = servability.snapshot;
    const isUnproven: ReadinessState = { kind: 'not_ready', reason: `placement ${epoch} is new and has generated no token yet: retry in a second` };
    if (this.#state.kind === 'not_ready') this.#become(isUnproven);
    else if (!(await this.#passes(SETTLE_MS, outdated))) return;
    const probed = new AbortController();
    void this.#passes(DOUBT_MS, AbortSignal.any([outdated, probed.signal])).then((hasPassed) => hasPassed && this.#become(isUnproven));
    const isProven = await this.#probe(servability.snapshot, outdated);
    probed.abort();
    if (outdated.aborted) return;
    this.#become(isProven ? { kind: 'ready', epoch } : isUnproven);
    if (isProven) await untilAborted(outdated);
    else await this.#passes(RETRY_MS, outdated);
  }

  /** False when the signal comes first. */
  async #passes(durationMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#options.clock.sleep(durationMs, signal).then(() => true, () => false);
  }

  /** True when one token came out. */
  async #probe(snapshot: ClusterSnapshot, signal: AbortSignal): Promise<boolean> {
    const { leads, log } = this.#options;
    try {
      using lead = leads.take(snapshot, { except: new Set() });
      if (lead === null) return false;
      for await (const event of lead.generate(this.#request(snapshot), signal)) if (event.kind === 'token') return !signal.aborted;
    } catch (thrown) {
      if (!signal.aborted) log.warn({ epoch: snapshot.epoch, reason: AppError.from(thrown).message }, 'the placement generated no token');
    }
    return false;
  }

  #request({ epoch }: ClusterSnapshot): SequenceRequest {
    const name = `probe-${epoch}-${Math.round(this.#options.clock.nowMs())}`;
    return {
      requestId: requestId(name), sequenceId: sequenceId(name), promptIds: [this.#options.probeTokenId], generatedIds: [], sampling: GREEDY,
      maxTokens: 1, minTokens: 0, stopTokenIds: [], ignoreEos: true, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: PROBE_MS,
    };
  }

  #become(state: ReadinessState): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}
