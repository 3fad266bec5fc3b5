import { AppError, type Clock, type Constraint, type LeadPhase, LIMITS, type ModelSpec, type PhaseTimes, type SequenceEvent, type SequenceRequest, type WorkerId } from '@essaim/core';
import { type Scheduler, type StepItem } from '@essaim/scheduler';
import { type Matcher } from './constrained-choice.ts';
import { LeadSequence } from './lead-sequence.ts';
import { type ForwardItem, type ForwardOutput, type ModelRunner } from './model-runner.ts';

export interface EngineOptions {
  readonly self: WorkerId;
  readonly spec: ModelSpec;
  readonly scheduler: Scheduler<LeadSequence>;
  readonly runner: Pick<ModelRunner, 'forward'>;
  /** Tokens that a sequence may guess in a step, for the step to verify; 0 for none. More than 0 changes no token where the runner's attention is even. */
  readonly draftTokens: number;
  /** Follows an answer that must be something. Fails with `invalid_argument` where it can't be. Default: none can. */
  readonly openMatcher?: (constraint: Constraint) => Promise<Matcher>;
  readonly clock: Clock;
  /** Epoch of the placement in force. */
  readonly epoch: () => number;
  /** Told of a step that failed as a whole, and of memory that is not as it counts: a bug or a broken device. */
  readonly onStepFailure: (error: AppError) => void;
  /** Told what this lead does, between steps `idle`. Default: nobody asks. */
  readonly times?: Pick<PhaseTimes<LeadPhase>, 'enter'>;
}

/** Between two looks at whether memory holds what it counts. */
const INTEGRITY_MS = 60_000;

/** The loop of a lead worker: while there is work, schedule a step, run it, commit it. Owns the sequences that it leads. */
export class Engine {
  readonly #options: EngineOptions;
  /** Sequences whose client is gone or too late, and why: taken out between two steps. */
  readonly #ending = new Map<LeadSequence, AppError>();
  readonly #closed = new AbortController();
  #looping = false;
  #checkedMs = -Infinity;
  #steps = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  get runningSequences(): number {
    return this.#options.scheduler.runningCount;
  }

  get waitingSequences(): number {
    return this.#options.scheduler.waitingCount;
  }

  /** That were run so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Generates one sequence. Fails with `invalid_argument` for tokens that the model does not have and for a constraint that can't be
   * followed, `resource_exhausted` when too many
   * wait, `unavailable` when an expert can't be reached, `deadline_exceeded`, `cancelled`.
   */
  async *generate(request: SequenceRequest, signal: AbortSignal): AsyncGenerator<SequenceEvent, void, undefined> {
    const { spec, draftTokens } = this.#options;
    const { constraint } = checked(request, spec);
    const matcher = constraint === undefined ? null : await this.#openMatcher(constraint);
    const sequence = new LeadSequence(request, { spec, draftTokens, matcher });
    if (signal.aborted) throw AppError.from(signal.reason);
    if (sequence.endsAtOnce !== null) sequence.done(sequence.endsAtOnce, this.#origin());
    else this.#options.scheduler.submit(sequence);
    const over = new AbortController();
    const gone = (): void => this.#end(sequence, AppError.from(signal.reason));
    signal.addEventListener('abort', gone, { once: true });
    this.#endAtDeadline(sequence, over.signal);
    this.#wake();
    try {
      yield* sequence.events.drain();
    } finally {
      over.abort();
      signal.removeEventListener('abort', gone);
      this.#end(sequence, new AppError('cancelled', 'the client is gone'));
    }
  }

  async #openMatcher(constraint: Constraint): Promise<Matcher> {
    const { openMatcher } = this.#options;
    if (openMatcher === undefined) throw new AppError('unimplemented', 'this worker can\'t hold an answer to a schema, pattern or grammar: leave it out');
    return openMatcher(constraint);
  }

  /** Fails what is under way and what still comes. */
  close(): void {
    this.#closed.abort(new AppError('unavailable', 'this worker is shutting down'));
  }

  /** The client's wish takes effect before the next step; at most one step is computed in vain. */
  #end(sequence: LeadSequence, error: AppError): void {
    sequence.fail(error);
    this.#ending.set(sequence, error);
    this.#wake();
  }

  #endAtDeadline(sequence: LeadSequence, over: AbortSignal): void {
    const timeoutMs = Math.min(sequence.request.timeoutMs, LIMITS.generationMs);
    const late = (): void => this.#end(sequence, new AppError('deadline_exceeded', `the generation did not end within ${timeoutMs} ms: ask for fewer tokens or allow more time`));
    this.#options.clock.sleep(timeoutMs, over).then(late, () => undefined);
  }

  #wake(): void {
    if (this.#looping) return;
    this.#looping = true;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    try {
      for (let step = this.#schedule(); step.length > 0; step = this.#schedule()) this.#commit(step, await this.#run(step));
      this.#checkIntegrity();
    } finally {
      // In the same turn in which nothing was left to do, so that no wish to wake falls in between.
      this.#looping = false;
      this.#options.times?.enter('idle');
    }
  }

  /** When nothing is left to do, and not each time: nobody waits for it. */
  #checkIntegrity(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#checkedMs < INTEGRITY_MS) return;
    this.#checkedMs = nowMs;
    try {
      this.#options.scheduler.checkIntegrity();
    } catch (thrown) {
      this.#options.onStepFailure(AppError.from(thrown));
    }
  }

  #schedule(): StepItem<LeadSequence>[] {
    this.#options.times?.enter('schedule');
    this.#removeEnding();
    return this.#options.scheduler.schedule();
  }

  #removeEnding(): void {
    for (const sequence of this.#ending.keys()) this.#options.scheduler.finish(sequence);
    this.#ending.clear();
  }

  /** Outputs in the order of the step; a failure of the whole step is one of each. */
  async #run(step: readonly StepItem<LeadSequence>[]): Promise<readonly ForwardOutput[]> {
    const { runner, scheduler, clock, times } = this.#options;
    times?.enter('dense');
    const items = step.map(toForwardItem);
    try {
      this.#closed.signal.throwIfAborted();
      const beganMs = clock.nowMs();
      const outputs = await runner.forward(items, this.#closed.signal);
      scheduler.took(step, clock.nowMs() - beganMs);
      return outputs;
    } catch (thrown) {
      const failure = AppError.from(thrown);
      if (!this.#closed.signal.aborted) this.#options.onStepFailure(failure);
      return items.map(() => ({ logits: null, few: null, failure, soundDrafts: 0, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, workers: new Set() }));
    }
  }

  #commit(step: readonly StepItem<LeadSequence>[], outputs: readonly ForwardOutput[]): void {
    this.#options.times?.enter('sample');
    this.#steps++;
    step.forEach((item, index) => this.#commitOne(item, outputs[index]!));
  }

  #commitOne({ sequence, cache, ...part }: StepItem<LeadSequence>, output: ForwardOutput): void {
    const { scheduler } = this.#options;
    try {
      if (output.failure !== null) throw output.failure;
      const { finishReason, accepted } = sequence.commit(part, output);
      // The keys and values of the other guesses are not committed: the next ones take their place.
      if (accepted > 0) cache.commit(part.draftIds.slice(0, accepted));
      if (finishReason === null) return;
      sequence.done(finishReason, this.#origin());
      scheduler.finish(sequence);
    } catch (thrown) {
      sequence.fail(AppError.from(thrown));
      scheduler.remove(sequence);
    }
  }

  #origin(): { lead: WorkerId; epoch: number } {
    return { lead: this.#options.self, epoch: this.#options.epoch() };
  }
}

const toForwardItem = ({ sequence, cache, first, count, draftIds }: StepItem<LeadSequence>): ForwardItem => ({
  cache, first, tokenIds: [...sequence.tokens(first, count), ...draftIds], logitsOfLast: sequence.logitsWanted(first, count) + draftIds.length, draftCount: draftIds.length,
  few: sequence.fewWanted(first, count),
});

function checked(request: SequenceRequest, { vocabSize, contextLength }: ModelSpec): SequenceRequest {
  const { promptIds, generatedIds } = request;
  if (promptIds.length === 0) throw new AppError('invalid_argument', 'the prompt is empty: give at least one token', { param: 'prompt' });
  if (promptIds.length + generatedIds.length > contextLength) {
    throw new AppError('invalid_argument', `the prompt has ${promptIds.length} tokens and the model's context is ${contextLength}: shorten the prompt`, { param: 'prompt' });
  }
  const foreign = [...promptIds, ...generatedIds].find((id) => id >= vocabSize);
  if (foreign !== undefined) throw new AppError('invalid_argument', `token ${foreign} does not exist: the model's vocabulary has ${vocabSize}`, { param: 'prompt' });
  return request;
}
