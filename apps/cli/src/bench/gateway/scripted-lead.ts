import { setInterval } from 'node:timers/promises';
import { type SequenceEvent, type SequenceRequest, type WorkerId } from '@essaim/core';
import { type LeadApi } from '@essaim/rpc';

/** A sequence with this seed gets no token, as one that waits in a lead's full queue. */
export const WAITING_SEED = 404n;

/** Ids of tokens that mean ordinary words and parts of words in the built-in model. */
const WORDS = { first: 300, count: 4_000 };

/**
 * A lead worker without a model: what it costs to pass tokens on is all that is left. Like a real one it gives every running sequence a
 * token in each step, all in the same moment; only the first one comes at once.
 */
export class ScriptedLead implements LeadApi {
  readonly #id: WorkerId;
  #step = Promise.withResolvers<void>();

  constructor(id: WorkerId) {
    this.#id = id;
  }

  /** Steps until the signal aborts. */
  async run(stepMs: number, signal: AbortSignal): Promise<void> {
    for await (const _ of setInterval(stepMs, undefined, { signal })) {
      this.#step.resolve();
      this.#step = Promise.withResolvers();
    }
  }

  async *generate(request: SequenceRequest, signal: AbortSignal): AsyncGenerator<SequenceEvent, void, undefined> {
    while (request.sampling.seed === WAITING_SEED && !signal.aborted) await this.#step.promise;
    for (let position = 0; position < request.maxTokens; position++) {
      if (position > 0) await this.#step.promise;
      yield { kind: 'token', id: WORDS.first + ((position * 7) % WORDS.count), logprobs: null };
    }
    yield { kind: 'done', finishReason: 'length', stats: { lead: this.#id, workers: [this.#id], localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, cachedPromptTokens: 0, acceptedDraftTokens: 0, rejectedDraftTokens: 0, epoch: 1 } };
  }
}
