import { type FinishReason } from '@essaim/core';
import { type ToolCall, type Tokenizer } from '@essaim/tokenizer';
import { type AnswerToken } from '../generation/answer.ts';
import { type Answer } from '../generation/collect.ts';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type ServedModel } from '../model/served-model.ts';
import { type AnswerFormat } from './answer-format.ts';
import { type ChatRequest } from './chat-request.ts';
import { finite, tokenText } from './token-text.ts';
import { type Usage } from './usage.ts';

interface Delta {
  readonly delta: { readonly role?: 'assistant'; readonly content?: string; readonly tool_calls?: readonly object[] };
  readonly tokens: readonly AnswerToken[];
  readonly finishReason: FinishReason | 'tool_calls' | null;
}

/** `chat.completion` and `chat.completion.chunk` objects. */
export class ChatFormat implements AnswerFormat {
  readonly #request: ChatRequest;
  readonly #tokenizer: Tokenizer;
  readonly #head: { readonly id: string; readonly created: number; readonly model: string };
  /** Choices whose role was told. */
  readonly #begun = new Set<number>();
  /** Calls told so far of the choices that have any. */
  readonly #callCounts = new Map<number, number>();

  constructor(request: ChatRequest, { id, tokenizer }: ServedModel, created: number) {
    this.#request = request;
    this.#tokenizer = tokenizer;
    this.#head = { id: `chatcmpl-${request.generation.requestId}`, created, model: id };
  }

  whole(answers: readonly Answer[], usage: Usage): object {
    const choices = answers.map(({ text, calls, tokens, finishReason }, index) => ({
      index, message: messageOf(text, calls), ...this.#perToken(tokens), finish_reason: reasonOf(finishReason, calls.length),
    }));
    return { ...this.#head, object: 'chat.completion', choices, usage };
  }

  chunks(event: ChoiceEvent): readonly object[] {
    const deltas: Delta[] = [];
    if (!this.#begun.has(event.choice)) {
      this.#begun.add(event.choice);
      deltas.push({ delta: { role: 'assistant', content: '' }, tokens: [], finishReason: null });
    }
    if (event.kind === 'delta') deltas.push({ delta: { content: event.text, ...this.#callsOf(event) }, tokens: event.token === null ? [] : [event.token], finishReason: null });
    if (event.kind === 'done') deltas.push({ delta: {}, tokens: [], finishReason: reasonOf(event.finishReason, this.#callCounts.get(event.choice) ?? 0) });
    return deltas.filter((delta) => this.#tellsSomething(delta)).map((delta) => this.#chunk(event.choice, delta));
  }

  usageChunk(usage: Usage): object {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [], usage };
  }

  #chunk(index: number, { delta, tokens, finishReason }: Delta): object {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [{ index, delta, ...this.#perToken(tokens), finish_reason: finishReason }] };
  }

  /** In a stream each call has its place among those of its choice. */
  #callsOf({ choice, calls = [] }: Extract<ChoiceEvent, { kind: 'delta' }>): Pick<Delta['delta'], 'tool_calls'> {
    if (calls.length === 0) return {};
    const first = this.#callCounts.get(choice) ?? 0;
    this.#callCounts.set(choice, first + calls.length);
    return { tool_calls: calls.map((call, place) => ({ index: first + place, ...toolCall(call) })) };
  }

  #tellsSomething({ delta, tokens, finishReason }: Delta): boolean {
    if (delta.role !== undefined || finishReason !== null || delta.content !== '' || delta.tool_calls !== undefined) return true;
    return tokens.length > 0 && (this.#request.returnTokenIds || this.#request.generation.logprobs !== null);
  }

  #perToken(tokens: readonly AnswerToken[]): object {
    const logprobs = this.#request.generation.logprobs === null || tokens.length === 0 ? null : { content: tokens.map((token) => this.#logprob(token)), refusal: null };
    return { logprobs, ...(this.#request.returnTokenIds ? { token_ids: tokens.map(({ id }) => id) } : {}) };
  }

  #logprob({ id, logprobs }: AnswerToken): object {
    const entry = (token: number, logprob: number): object => ({ token: tokenText(this.#tokenizer, token), logprob: finite(logprob), bytes: [...this.#tokenizer.tokenBytes(token)] });
    return { ...entry(id, logprobs?.logprob ?? Number.NEGATIVE_INFINITY), top_logprobs: (logprobs?.top ?? []).map((each) => entry(each.id, each.logprob)) };
  }
}

const toolCall = ({ id, name, arguments: text }: ToolCall): object => ({ id, type: 'function', function: { name, arguments: text } });

function messageOf(text: string, calls: readonly ToolCall[]): object {
  if (calls.length === 0) return { role: 'assistant', content: text, refusal: null };
  return { role: 'assistant', content: text === '' ? null : text, refusal: null, tool_calls: calls.map(toolCall) };
}

/** An answer that was cut off says so, whatever it called before. */
const reasonOf = (reason: FinishReason, callCount: number): FinishReason | 'tool_calls' => (reason === 'stop' && callCount > 0 ? 'tool_calls' : reason);
