import { type FinishReason } from '@essaim/core';
import { type Tokenizer } from '@essaim/tokenizer';
import { type AnswerToken } from '../generation/answer.ts';
import { type Answer } from '../generation/collect.ts';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type ServedModel } from '../model/served-model.ts';
import { type AnswerFormat } from './answer-format.ts';
import { type ChatRequest } from './chat-request.ts';
import { finite, tokenText } from './token-text.ts';
import { type Usage } from './usage.ts';

interface Delta {
  readonly delta: { readonly role?: 'assistant'; readonly content?: string };
  readonly tokens: readonly AnswerToken[];
  readonly finishReason: FinishReason | null;
}

/** `chat.completion` and `chat.completion.chunk` objects. */
export class ChatFormat implements AnswerFormat {
  readonly #request: ChatRequest;
  readonly #tokenizer: Tokenizer;
  readonly #head: { readonly id: string; readonly created: number; readonly model: string };
  /** Choices whose role was told. */
  readonly #begun = new Set<number>();

  constructor(request: ChatRequest, { id, tokenizer }: ServedModel, created: number) {
    this.#request = request;
    this.#tokenizer = tokenizer;
    this.#head = { id: `chatcmpl-${request.generation.requestId}`, created, model: id };
  }

  whole(answers: readonly Answer[], usage: Usage): object {
    const choices = answers.map(({ text, tokens, finishReason }, index) => ({
      index, message: { role: 'assistant', content: text, refusal: null }, ...this.#perToken(tokens), finish_reason: finishReason,
    }));
    return { ...this.#head, object: 'chat.completion', choices, usage };
  }

  chunks(event: ChoiceEvent): readonly object[] {
    const deltas: Delta[] = [];
    if (!this.#begun.has(event.choice)) {
      this.#begun.add(event.choice);
      deltas.push({ delta: { role: 'assistant', content: '' }, tokens: [], finishReason: null });
    }
    if (event.kind === 'delta') deltas.push({ delta: { content: event.text }, tokens: event.token === null ? [] : [event.token], finishReason: null });
    if (event.kind === 'done') deltas.push({ delta: {}, tokens: [], finishReason: event.finishReason });
    return deltas.filter((delta) => this.#tellsSomething(delta)).map((delta) => this.#chunk(event.choice, delta));
  }

  usageChunk(usage: Usage): object {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [], usage };
  }

  #chunk(index: number, { delta, tokens, finishReason }: Delta): object {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [{ index, delta, ...this.#perToken(tokens), finish_reason: finishReason }] };
  }

  #tellsSomething({ delta, tokens, finishReason }: Delta): boolean {
    if (delta.role !== undefined || finishReason !== null || delta.content !== '') return true;
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
