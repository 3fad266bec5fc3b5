import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@essaim/core';
import { type InferenceApi } from '@essaim/rpc';
import { type Question } from '../ask.ts';

const POLL_MS = 5;

/** Answers under way, each with the times at which its tokens came. */
export class Streams {
  readonly #tokenMs: readonly number[][];
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #read: Promise<void>[];
  #failure: AppError | null = null;

  /** Asks all at once, over the gateway's public gRPC. */
  constructor(gateway: InferenceApi, questions: readonly Question[], signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
    this.#tokenMs = questions.map(() => []);
    this.#read = questions.map((question, nth) => this.#follow(gateway, question, this.#tokenMs[nth]!));
  }

  /** Milliseconds on Node's own clock, by stream. */
  get tokenMs(): readonly (readonly number[])[] {
    return this.#tokenMs;
  }

  /** Resolves when each stream has so many tokens more. Fails when one failed, or ended: figures of fewer streams are not those asked for. */
  async each(tokens: number): Promise<void> {
    const wanted = this.#tokenMs.map(({ length }) => length + tokens);
    while (this.#tokenMs.some(({ length }, nth) => length < wanted[nth]!)) {
      if (this.#failure !== null) throw this.#failure;
      await sleep(POLL_MS, undefined, { signal: this.#signal });
    }
  }

  /** Nobody waits for their rest. */
  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#read);
  }

  async #follow(gateway: InferenceApi, { model, promptIds, newTokens }: Question, tokenMs: number[]): Promise<void> {
    const request = { model, prompt: { kind: 'tokens' as const, ids: promptIds }, sampling: { temperature: 0 }, maxTokens: newTokens, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: true, logprobs: null };
    try {
      for await (const event of gateway.generate(request, { signal: this.#signal, authorization: null, requestId: null })) {
        const nowMs = performance.now();
        if (event.kind !== 'done') for (const _ of event.tokenIds) tokenMs.push(nowMs);
      }
      this.#failure ??= new AppError('deadline_exceeded', `a stream of ${newTokens} tokens ended before what was to happen beside it: measure when the machine is quiet`);
    } catch (thrown) {
      if (!this.#over.signal.aborted) this.#failure ??= AppError.from(thrown);
    }
  }
}
