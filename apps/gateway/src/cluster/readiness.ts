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

/** Ready means that a token was generated through the placement of now: every new epoch is probed, and until then it is not ready. */
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
    this.#become({ kind: 'not_ready', reason: `placement ${epoch} is new and has generated no token yet: retry in a second` });
    if (await this.#probe(servability.snapshot, outdated)) {
      this.#become({ kind: 'ready', epoch });
      return untilAborted(outdated);
    }
    await this.#options.clock.sleep(RETRY_MS, outdated).catch(() => undefined);
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
