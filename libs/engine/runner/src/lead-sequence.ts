import { type AppError, type FinishReason, type ModelSpec, type PositionLogprobs, type SequenceEvent, type SequenceRequest, type SequenceStats, type WorkerId } from '@essaim/core';
import { logprobsOf, Sampler } from '@essaim/sampling';
import { type Schedulable } from '@essaim/scheduler';
import { EventQueue } from './event-queue.ts';
import { type ForwardOutput } from './model-runner.ts';

/** One sequence that this worker leads: its tokens so far, how the next one is chosen, and whom to tell. */
export class LeadSequence implements Schedulable {
  readonly request: SequenceRequest;
  readonly maxTokenCount: number;
  readonly events = new EventQueue<SequenceEvent>();
  readonly #tokens: number[];
  readonly #sampler: Sampler;
  readonly #stopIds: ReadonlySet<number>;
  readonly #workers = new Set<WorkerId>();
  readonly #promptLogprobs: (PositionLogprobs | null)[] = [null];
  /** One past the last token whose keys and values are known. */
  #knownTokens = 0;
  #copiedTokens = 0;
  #localExpertCalls = 0;
  #remoteExpertCalls = 0;
  #retriedExpertCalls = 0;

  constructor(request: SequenceRequest, { contextLength, eosTokenIds }: ModelSpec) {
    this.request = request;
    this.maxTokenCount = Math.min(request.promptIds.length + request.maxTokens, contextLength);
    this.#tokens = [...request.promptIds, ...request.generatedIds];
    this.#sampler = new Sampler(request.sampling, request.promptIds);
    for (const id of request.generatedIds) this.#sampler.accept(id);
    this.#stopIds = new Set([...request.stopTokenIds, ...(request.ignoreEos ? [] : eosTokenIds)]);
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

  tokens(first: number, count: number): readonly number[] {
    return this.#tokens.slice(first, first + count);
  }

  /** How many of the tokens [first, first + count) need their logits: the newest of all, and every one of a prompt whose logprobs are asked for. */
  logitsWanted(first: number, count: number): number {
    const last = first + count;
    if (this.#reportsPrompt && first < this.request.promptIds.length) return count;
    return last === this.#tokens.length ? 1 : 0;
  }

  /** Takes the logits of the tokens [first, first + count), [wanted, vocab], and returns why the sequence ended, or null. */
  commit({ first, count }: { readonly first: number; readonly count: number }, output: ForwardOutput): FinishReason | null {
    this.#copiedTokens += first - this.#knownTokens;
    this.#knownTokens = first + count;
    this.#localExpertCalls += output.localExpertCalls;
    this.#remoteExpertCalls += output.remoteExpertCalls;
    this.#retriedExpertCalls += output.retriedExpertCalls;
    for (const worker of output.workers) this.#workers.add(worker);
    if (output.logits === null) return null;
    const vocabSize = output.logits.length / this.logitsWanted(first, count);
    const row = (index: number): Float32Array => output.logits!.subarray(index * vocabSize, (index + 1) * vocabSize);
    if (this.#reportsPrompt && first < this.request.promptIds.length) this.#reportPrompt(first, count, row);
    if (first + count < this.#tokens.length) return null;
    return this.isFull ? 'length' : this.#choose(row(this.logitsWanted(first, count) - 1));
  }

  done(finishReason: FinishReason, { lead, epoch }: Pick<SequenceStats, 'lead' | 'epoch'>): void {
    const [localExpertCalls, remoteExpertCalls, retriedExpertCalls] = [this.#localExpertCalls, this.#remoteExpertCalls, this.#retriedExpertCalls];
    const cachedPromptTokens = Math.min(this.#copiedTokens, this.request.promptIds.length);
    const stats: SequenceStats = { lead, epoch, workers: [...this.#workers].sort(), cachedPromptTokens, localExpertCalls, remoteExpertCalls, retriedExpertCalls };
    this.events.push({ kind: 'done', finishReason, stats });
    this.events.end();
  }

  fail(error: AppError): void {
    this.events.fail(error);
  }

  get #reportsPrompt(): boolean {
    return this.request.promptLogprobs !== null && this.request.generatedIds.length === 0;
  }

  /** The logits after a prompt token tell how likely the next one was. */
  #reportPrompt(first: number, count: number, row: (index: number) => Float32Array): void {
    const { promptIds, promptLogprobs } = this.request;
    for (let position = first + 1; position <= first + count && position < promptIds.length; position++) {
      this.#promptLogprobs.push(logprobsOf(row(position - 1 - first), promptIds[position]!, promptLogprobs!));
    }
    if (first + count >= promptIds.length) this.events.push({ kind: 'prompt', logprobs: this.#promptLogprobs });
  }

  /** The next token; a token that ends the sequence is not part of the answer. */
  #choose(logits: Float32Array): FinishReason | null {
    const generated = this.#tokens.length - this.request.promptIds.length;
    const tooEarly = generated < this.request.minTokens;
    const id = this.#sampler.sample(logits, this.#tokens.length, tooEarly ? this.#stopIds : undefined);
    if (this.#stopIds.has(id)) return 'stop';
    this.#tokens.push(id);
    this.#sampler.accept(id);
    const { logprobs } = this.request;
    this.events.push({ kind: 'token', id, logprobs: logprobs === null ? null : logprobsOf(logits, id, logprobs) });
    return this.isFull ? 'length' : null;
  }
}
