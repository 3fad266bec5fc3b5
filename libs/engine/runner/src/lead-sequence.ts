import { type AppError, type FinishReason, type ModelSpec, type PositionLogprobs, type SequenceEvent, type SequenceRequest, type SequenceStats, type WorkerId } from '@essaim/core';
import { type Choosable, type FewLogits, fewNeeded, logprobsOf, logprobsOfFew, Sampler } from '@essaim/sampling';
import { type Schedulable, type StepItem } from '@essaim/scheduler';
import { ConstrainedChoice, type Matcher } from './constrained-choice.ts';
import { Drafter } from './drafter.ts';
import { EventQueue } from './event-queue.ts';
import { type ForwardOutput } from './model-runner.ts';
import { type FewWanted } from './step-logits.ts';

/** What became of a part of a sequence that a step computed. */
export interface Outcome {
  /** Why the sequence ended, or null. */
  readonly finishReason: FinishReason | null;
  /** How many guesses, from the first on, are tokens of the sequence now. */
  readonly accepted: number;
}

/** A token, and how likely the model found it where that is asked for. */
interface Choice {
  readonly id: number;
  readonly logprobs: PositionLogprobs | null;
}

export interface LeadSequenceOptions {
  readonly spec: ModelSpec;
  /** Tokens that it may guess in a step. */
  readonly draftTokens: number;
  /** At the beginning of the answer; null where it may be anything. */
  readonly matcher: Matcher | null;
}

/** One sequence that this worker leads: its tokens so far, how the next one is chosen, and whom to tell. */
export class LeadSequence implements Schedulable {
  readonly request: SequenceRequest;
  readonly maxTokenCount: number;
  readonly events = new EventQueue<SequenceEvent>();
  readonly #tokens: number[];
  readonly #sampler: Sampler;
  readonly #drafter: Drafter;
  readonly #constrained: ConstrainedChoice | null;
  readonly #stopIds: ReadonlySet<number>;
  readonly #workers = new Set<WorkerId>();
  readonly #promptLogprobs: (PositionLogprobs | null)[] = [null];
  #promptIsReported = false;
  /** One past the last token whose keys and values were known at any time: a sequence that made room for another is computed again. */
  #knownTokens = 0;
  #copiedTokens = 0;
  #localExpertCalls = 0;
  #remoteExpertCalls = 0;
  #retriedExpertCalls = 0;

  /** Fails with `invalid_argument` where the answer so far is not what it must be. */
  constructor(request: SequenceRequest, { spec: { contextLength, eosTokenIds }, draftTokens, matcher }: LeadSequenceOptions) {
    this.request = request;
    this.maxTokenCount = Math.min(request.promptIds.length + request.maxTokens, contextLength);
    this.#tokens = [...request.promptIds, ...request.generatedIds];
    this.#drafter = new Drafter(this.#tokens, draftTokens);
    this.#sampler = new Sampler(request.sampling, request.promptIds);
    this.#stopIds = new Set([...request.stopTokenIds, ...(request.ignoreEos ? [] : eosTokenIds)]);
    this.#constrained = matcher === null ? null : new ConstrainedChoice(matcher, this.#stopIds);
    for (const id of request.generatedIds) this.#accept(id);
  }

  get priority(): number {
    return this.request.priority;
  }

  get tokenCount(): number {
    return this.#tokens.length;
  }

  /** All but the newest, whose logits choose the next one; none where the logits of the whole prompt are reported. */
  get copyableIds(): readonly number[] {
    return this.#reportsPrompt ? [] : this.#tokens.slice(0, -1);
  }

  /** True when nothing more may be chosen: the budget or the context is used up. */
  get isFull(): boolean {
    return this.#tokens.length >= this.maxTokenCount;
  }

  /** Why it ends before anything is computed for it, or null. */
  get endsAtOnce(): FinishReason | null {
    return this.#reportsPrompt ? null : this.#reasonToEnd;
  }

  /** Without guesses that can't be right. */
  draft(most: number): readonly number[] {
    const ids = this.#drafter.draft(most);
    return this.#constrained?.possible(ids) ?? ids;
  }

  tokens(first: number, count: number): readonly number[] {
    return this.#tokens.slice(first, first + count);
  }

  /** How many of the tokens [first, first + count) need their logits: the newest of all, and every one of a prompt whose logprobs are asked for. */
  logitsWanted(first: number, count: number): number {
    const last = first + count;
    if (this.#reportsPrompt && first < this.request.promptIds.length) return count;
    return last === this.#tokens.length ? 1 : 0;
  }

  /** What may be enough of the logits of the tokens [first, first + count) and of guesses behind them; null where all are needed. */
  fewWanted(first: number, count: number): FewWanted | null {
    const { request: { logprobs, sampling, promptIds, minTokens } } = this;
    const needed = fewNeeded(sampling, logprobs ?? 0);
    const mayBeAnything = this.#constrained === null && this.#tokens.length - promptIds.length >= minTokens;
    if (needed === null || !mayBeAnything || this.#reportsPrompt || !this.#sampler.canChooseAmongFew) return null;
    return { ...needed, isEnough: (few, nth) => this.#choiceAmong(few, first + count + nth) !== null };
  }

  /** Takes the logits of the tokens [first, first + count) and of the guesses behind them, [wanted + draftIds.length, vocab]. */
  commit({ first, count, draftIds }: Omit<StepItem<this>, 'sequence' | 'cache'>, output: ForwardOutput): Outcome {
    this.#copiedTokens += Math.max(0, first - this.#knownTokens);
    this.#knownTokens = Math.max(this.#knownTokens, first + count);
    this.#localExpertCalls += output.localExpertCalls;
    this.#remoteExpertCalls += output.remoteExpertCalls;
    this.#retriedExpertCalls += output.retriedExpertCalls;
    for (const worker of output.workers) this.#workers.add(worker);
    const { logits, few } = output;
    if (logits === null && few === null) return { finishReason: null, accepted: 0 };
    const wanted = this.logitsWanted(first, count);
    const vocabSize = (logits?.length ?? 0) / (wanted + draftIds.length);
    const row = (index: number): Float32Array => logits!.subarray(index * vocabSize, (index + 1) * vocabSize);
    if (this.#reportsPrompt && first < this.request.promptIds.length) this.#reportPrompt(first, count, row);
    if (first + count < this.#tokens.length) return { finishReason: null, accepted: 0 };
    if (this.#reasonToEnd !== null) return { finishReason: this.#reasonToEnd, accepted: 0 };
    const outcome = this.#extend(draftIds.slice(0, output.soundDrafts), (index) => few?.[index] ?? row(wanted - 1 + index));
    this.#drafter.learn(draftIds.length, outcome.accepted);
    this.#knownTokens = Math.max(this.#knownTokens, first + count + outcome.accepted);
    return outcome;
  }

  done(finishReason: FinishReason, { lead, epoch }: Pick<SequenceStats, 'lead' | 'epoch'>): void {
    const [localExpertCalls, remoteExpertCalls, retriedExpertCalls] = [this.#localExpertCalls, this.#remoteExpertCalls, this.#retriedExpertCalls];
    const cachedPromptTokens = Math.min(this.#copiedTokens, this.request.promptIds.length);
    const { accepted: acceptedDraftTokens, rejected: rejectedDraftTokens } = this.#drafter.counts;
    const stats: SequenceStats = { lead, epoch, workers: [...this.#workers].sort(), cachedPromptTokens, acceptedDraftTokens, rejectedDraftTokens, localExpertCalls, remoteExpertCalls, retriedExpertCalls };
    this.events.push({ kind: 'done', finishReason, stats });
    this.events.end();
  }

  fail(error: AppError): void {
    this.events.fail(error);
  }

  get #reportsPrompt(): boolean {
    return this.request.promptLogprobs !== null && this.request.generatedIds.length === 0 && !this.#promptIsReported;
  }

  /** The logits after a prompt token tell how likely the next one was. */
  #reportPrompt(first: number, count: number, row: (index: number) => Float32Array): void {
    const { promptIds, promptLogprobs } = this.request;
    for (let position = this.#promptLogprobs.length; position <= first + count && position < promptIds.length; position++) {
      this.#promptLogprobs.push(logprobsOf(row(position - 1 - first), promptIds[position]!, promptLogprobs!));
    }
    this.#promptIsReported = this.#promptLogprobs.length === promptIds.length && first + count >= promptIds.length;
    if (this.#promptIsReported) this.events.push({ kind: 'prompt', logprobs: this.#promptLogprobs });
  }

  /** Chooses a token, and one more behind each guess that is what was chosen: exactly the tokens that come out without guesses. */
  #extend(draftIds: readonly number[], logitsAfter: (draft: number) => Float32Array | FewLogits): Outcome {
    const before = this.#tokens.length;
    for (let accepted = 0; ; ) {
      const finishReason = this.#choose(logitsAfter(accepted));
      const isRight = accepted < draftIds.length && this.#tokens[before + accepted] === draftIds[accepted];
      if (isRight) accepted++;
      if (!isRight || finishReason !== null) return { finishReason, accepted };
    }
  }

  /** The next token; a token that ends the sequence is not part of the answer. */
  #choose(logits: Float32Array | FewLogits): FinishReason | null {
    const { id, logprobs } = logits instanceof Float32Array ? this.#choiceFrom(logits) : this.#choiceAmong(logits, this.#tokens.length)!;
    if (this.#stopIds.has(id)) return 'stop';
    this.#tokens.push(id);
    this.#accept(id);
    this.events.push({ kind: 'token', id, logprobs });
    return this.#reasonToEnd;
  }

  #choiceFrom(logits: Float32Array): Choice {
    const generated = this.#tokens.length - this.request.promptIds.length;
    const id = this.#sampler.sample(logits, this.#tokens.length, this.#choosable({ mayStop: generated >= this.request.minTokens }));
    const { logprobs } = this.request;
    return { id, logprobs: logprobs === null || this.#stopIds.has(id) ? null : logprobsOf(logits, id, logprobs) };
  }

  /** Null where these few don't tell. */
  #choiceAmong(few: FewLogits, position: number): Choice | null {
    const id = this.#sampler.sampleAmongFew(few, position);
    if (id === null || this.request.logprobs === null) return id === null ? null : { id, logprobs: null };
    const logprobs = logprobsOfFew(few, id, this.request.logprobs);
    return logprobs === null ? null : { id, logprobs };
  }

  #choosable({ mayStop }: { readonly mayStop: boolean }): Choosable {
    if (this.#constrained !== null) return { allowed: this.#constrained.allowed({ mayStop }) };
    return mayStop ? {} : { banned: this.#stopIds };
  }

  /** A token of the answer, chosen here or by a lead before this one. */
  #accept(id: number): void {
    this.#sampler.accept(id);
    this.#constrained?.accept(id);
  }

  /** An answer that is complete and can't go on ends by itself. */
  get #reasonToEnd(): FinishReason | null {
    if (this.#constrained?.isOver ?? false) return 'stop';
    return this.isFull ? 'length' : null;
  }
}
