import { AppError, assert, type SequenceEvent, type SequenceRequest, type SequenceStats, type WorkerId } from '@essaim/core';
import { ConnectionLost } from '@essaim/rpc';
import { type ClusterView } from '../cluster/cluster-view.ts';
import { type Lead, type LeadPool } from '../cluster/lead-pool.ts';
import { type Servability, servabilityOf } from '../cluster/servability.ts';
import { untilAborted } from '../until-aborted.ts';

export interface SequencePorts {
  readonly view: ClusterView;
  readonly leads: LeadPool;
  /** Told when a sequence goes on at another lead. */
  readonly onFailover: () => void;
}

/** What a sequence asks for, whichever lead runs it. */
export interface SequenceOrder extends Omit<SequenceRequest, 'generatedIds' | 'timeoutMs'> {
  /** Milliseconds that are left until the sequence must be done. */
  readonly remainingMs: () => number;
}

/** Leads that one sequence may be sent to, full ones not counted. */
const ATTEMPTS = 3;
/** How long a sequence whose lead is gone waits for a cluster that can go on. */
const FAILOVER_WAIT_MS = 2_000;

/**
 * One sequence, at one lead after another if need be: the next one gets the tokens that are already out and goes on behind them with the
 * same seed, so that nothing is lost or repeated.
 */
export class SequenceRun {
  readonly #order: SequenceOrder;
  readonly #ports: SequencePorts;
  readonly #generated: number[] = [];
  readonly #failed = new Set<WorkerId>();
  #attempts = 0;
  #failure: AppError | null = null;
  #promptLogprobs: number | null;
  #stats: SequenceStats | null = null;

  constructor(order: SequenceOrder, ports: SequencePorts) {
    this.#order = order;
    this.#ports = ports;
    this.#promptLogprobs = order.promptLogprobs;
  }

  /** As the last lead told them; until it has, only who it is. From the first event on. */
  get stats(): SequenceStats {
    assert(this.#stats, 'a sequence with an event has a lead');
    return this.#stats;
  }

  /** The events as if one lead had sent them. Fails with what the last lead said, or `unavailable` when none can go on. */
  async *events(signal: AbortSignal): AsyncGenerator<SequenceEvent, void, undefined> {
    for (;;) {
      using lead = await this.#nextLead(signal);
      try {
        yield* this.#eventsOf(lead, signal);
        return;
      } catch (thrown) {
        this.#judge(AppError.from(thrown), lead);
      }
    }
  }

  async *#eventsOf(lead: Lead, signal: AbortSignal): AsyncGenerator<SequenceEvent, void, undefined> {
    for await (const event of lead.generate(this.#request(), signal)) {
      if (event.kind === 'prompt') this.#promptLogprobs = null;
      if (event.kind === 'token') this.#generated.push(event.id);
      if (event.kind === 'done') this.#stats = event.stats;
      yield event;
      if (event.kind === 'done') return;
    }
    throw new ConnectionLost('unavailable', `worker ${lead.id} ended a sequence before it was done`);
  }

  #request(): SequenceRequest {
    const { remainingMs, ...order } = this.#order;
    return { ...order, generatedIds: [...this.#generated], promptLogprobs: this.#promptLogprobs, timeoutMs: Math.max(1, Math.round(remainingMs())) };
  }

  /** Returns when another lead may go on: when this one is full, is leaving, is gone, or can't reach experts that another one may reach. */
  #judge(error: AppError, { id }: Lead): void {
    if (error.code !== 'unavailable' && error.code !== 'resource_exhausted') throw error;
    this.#failed.add(id);
    this.#failure = error;
    if (error.code === 'unavailable') this.#attempts++;
  }

  async #nextLead(signal: AbortSignal): Promise<Lead> {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(FAILOVER_WAIT_MS)]);
    for (;;) {
      signal.throwIfAborted();
      const { snapshot, replaced } = this.#ports.view.known;
      const servability = servabilityOf(snapshot);
      const lead = this.#attempts < ATTEMPTS ? this.#take(servability) : null;
      if (lead !== null) return lead;
      // Only when the lead itself is gone, a newer placement is about to come.
      if (!(this.#failure instanceof ConnectionLost) || this.#attempts >= ATTEMPTS || patience.aborted) throw this.#refusal(servability);
      await untilAborted(AbortSignal.any([patience, replaced]));
    }
  }

  #take(servability: Servability): Lead | null {
    if (servability.kind === 'refused') return null;
    const lead = this.#ports.leads.take(servability.snapshot, { except: this.#failed });
    if (lead === null) return null;
    if (this.#attempts > 0) this.#ports.onFailover();
    this.#stats = { lead: lead.id, workers: [lead.id], cachedPromptTokens: 0, acceptedDraftTokens: 0, rejectedDraftTokens: 0, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, epoch: servability.snapshot.epoch };
    return lead;
  }

  /** What a living lead said is the best there is to say. */
  #refusal(servability: Servability): AppError {
    const failure = this.#failure;
    if (failure !== null && !(failure instanceof ConnectionLost)) return failure;
    const reason = servability.kind === 'refused' ? servability.reason : 'the worker that led this answer is gone and no other one can go on: retry in a few seconds';
    return new AppError('unavailable', reason, { cause: failure });
  }
}
