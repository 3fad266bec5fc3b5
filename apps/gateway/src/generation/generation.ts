import { AppError, type Clock, LIMITS, sequenceId } from '@essaim/core';
import { TextReader, type Tokenizer } from '@essaim/tokenizer';
import { type Logger } from '@essaim/telemetry';
import { type ClusterView } from '../cluster/cluster-view.ts';
import { type LeadPool } from '../cluster/lead-pool.ts';
import { type Metrics } from '../metrics.ts';
import { type Admission } from './admission.ts';
import { type AnswerEvent, readAnswer } from './answer.ts';
import { merge } from './merge.ts';
import { GenerationRecord } from './record.ts';
import { type GenerationRequest, type Prompt, sequenceCount } from './request.ts';
import { SequenceRun } from './sequence-run.ts';

/** An event of one of a request's answers: answer k of prompt p is choice p * answersPerPrompt + k. */
export type ChoiceEvent = AnswerEvent & { readonly choice: number };

export interface GenerationOptions {
  readonly tokenizer: Tokenizer;
  readonly view: ClusterView;
  readonly leads: LeadPool;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Unique for every call. */
  readonly newId: () => string;
  /** Cuts whatever is still under way. */
  readonly stopped: AbortSignal;
}

interface Choice {
  readonly choice: number;
  readonly prompt: Prompt;
  /** Which answer to its prompt. */
  readonly answer: number;
}

/** The one seam between the outside and the cluster: valid requests in, text out. */
export class Generation {
  readonly #options: GenerationOptions;

  constructor(options: GenerationOptions) {
    this.#options = options;
  }

  /**
   * The answers of a request side by side, in the order in which their tokens come. Aborting the signal, or leaving the loop, ends all of
   * them. Fails with `resource_exhausted`, `unavailable`, `deadline_exceeded`, `cancelled`.
   */
  async *stream(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<ChoiceEvent, void, undefined> {
    const { admission, stopped } = this.#options;
    using _permit = admission.admit(sequenceCount(request));
    const record = new GenerationRecord(request, this.#options);
    const answers = choicesOf(request).map((choice) => (stop: AbortSignal) => this.#answer(request, choice, stop));
    try {
      for await (const event of merge(answers, AbortSignal.any([signal, stopped]))) {
        if (event.kind === 'delta' && event.token !== null) record.completionTokens++;
        yield event;
      }
      record.outcome = 'done';
    } catch (thrown) {
      const error = AppError.from(thrown);
      record.outcome = error.code;
      throw error;
    } finally {
      record.write();
    }
  }

  async *#answer(request: GenerationRequest, choice: Choice, signal: AbortSignal): AsyncGenerator<ChoiceEvent, void, undefined> {
    const { tokenizer, metrics, clock } = this.#options;
    const run = this.#start(request, choice);
    const onToken = metrics.tokenTimer(() => clock.nowMs());
    for await (const event of readAnswer({ events: run.events(signal), stats: () => run.stats }, { reader: request.openReader?.() ?? new TextReader(tokenizer), stop: request.stop })) {
      if (event.kind === 'delta' && event.token !== null) onToken();
      if (event.kind === 'done') metrics.countDrafts(event.stats);
      yield { ...event, choice: choice.choice };
    }
  }

  #start(request: GenerationRequest, { prompt, answer }: Choice): SequenceRun {
    const { view, leads, metrics, clock, newId } = this.#options;
    const { requestId, minTokens, stopTokenIds, ignoreEos, priority, logprobs, promptLogprobs, constraint } = request;
    const deadlineMs = clock.nowMs() + LIMITS.generationMs;
    return new SequenceRun(
      {
        requestId, sequenceId: sequenceId(newId()), promptIds: prompt.ids, maxTokens: prompt.maxTokens, minTokens, stopTokenIds, ignoreEos, priority, logprobs, promptLogprobs,
        sampling: { ...request.sampling, seed: BigInt.asIntN(64, request.sampling.seed + BigInt(answer)) },
        ...(constraint === undefined ? {} : { constraint }),
        remainingMs: () => deadlineMs - clock.nowMs(),
      },
      { view, leads, onFailover: () => metrics.failovers.inc() },
    );
  }
}

const choicesOf = ({ prompts, answersPerPrompt }: GenerationRequest): Choice[] =>
  prompts.flatMap((prompt, index) => Array.from({ length: answersPerPrompt }, (_, answer) => ({ choice: index * answersPerPrompt + answer, prompt, answer })));
