import { type FinishReason, type PositionLogprobs } from '@essaim/core';
import { TextStream, type Tokenizer } from '@essaim/tokenizer';
import { type AnswerToken } from '../generation/answer.ts';
import { type Answer } from '../generation/collect.ts';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type ServedModel } from '../model/served-model.ts';
import { type AnswerFormat } from './answer-format.ts';
import { type CompletionRequest } from './completion-request.ts';
import { finite, tokenText, withChosen } from './token-text.ts';
import { type Usage } from './usage.ts';

/** OpenAI's legacy form: one entry per token in each list. */
interface CompletionLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly (number | null)[];
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  /** Unicode characters before each token, the echoed prompt counted in. */
  readonly text_offset: readonly number[];
}

interface Piece {
  readonly text: string;
  readonly tokens: readonly AnswerToken[];
  readonly finishReason: FinishReason | null;
}

const characters = (text: string): number => [...text].length;

/** `text_completion` objects. */
export class CompletionFormat implements AnswerFormat {
  readonly #request: CompletionRequest;
  readonly #tokenizer: Tokenizer;
  readonly #head: { readonly id: string; readonly object: 'text_completion'; readonly created: number; readonly model: string };
  /** Choices whose prompt was echoed, or that have none to echo. */
  readonly #begun = new Set<number>();

  constructor(request: CompletionRequest, { id, tokenizer }: ServedModel, created: number) {
    this.#request = request;
    this.#tokenizer = tokenizer;
    this.#head = { id: `cmpl-${request.generation.requestId}`, object: 'text_completion', created, model: id };
  }

  whole(answers: readonly Answer[], usage: Usage): object {
    const choices = answers.map((answer, choice) => {
      const echo = this.#echo(choice, answer.promptLogprobs);
      return this.#choice(choice, { text: echo.text + answer.text, tokens: [...echo.tokens, ...this.#placed(choice, answer.tokens)], finishReason: answer.finishReason });
    });
    return { ...this.#head, choices, usage };
  }

  chunks(event: ChoiceEvent): readonly object[] {
    const pieces: Piece[] = [];
    if (!this.#begun.has(event.choice)) {
      this.#begun.add(event.choice);
      pieces.push(this.#echo(event.choice, event.kind === 'prompt' ? event.logprobs : []));
    }
    if (event.kind === 'delta') pieces.push({ text: event.text, tokens: event.token === null ? [] : this.#placed(event.choice, [event.token]), finishReason: null });
    if (event.kind === 'done') pieces.push({ text: '', tokens: [], finishReason: event.finishReason });
    return pieces.filter((piece) => this.#tellsSomething(piece)).map((piece) => ({ ...this.#head, choices: [this.#choice(event.choice, piece)] }));
  }

  usageChunk(usage: Usage): object {
    return { ...this.#head, choices: [], usage };
  }

  #tellsSomething({ text, tokens, finishReason }: Piece): boolean {
    return text !== '' || finishReason !== null || (tokens.length > 0 && (this.#request.returnTokenIds || this.#request.generation.logprobs !== null));
  }

  #choice(index: number, { text, tokens, finishReason }: Piece): object {
    const logprobs = this.#request.generation.logprobs === null || tokens.length === 0 ? null : this.#logprobs(tokens);
    const ids = this.#request.returnTokenIds ? { token_ids: tokens.map(({ id }) => id) } : {};
    return { index, text, logprobs, finish_reason: finishReason, ...ids };
  }

  /** The prompt as the beginning of the answer. */
  #echo(choice: number, logprobs: readonly (PositionLogprobs | null)[]): Piece {
    const text = this.#echoed(choice);
    const ids = this.#request.echo === null ? [] : (this.#request.generation.prompts[this.#promptOf(choice)]?.ids ?? []);
    const offsets = this.#offsets(ids, characters(text));
    const tokens = ids.map((id, position): AnswerToken => ({ id, offset: offsets[position]!, logprobs: logprobs[position] ?? null }));
    return { text, tokens, finishReason: null };
  }

  /** Characters before each token of a text of `length` characters. Some tokenizers put a space before a text: counted from its end, it is left out. */
  #offsets(ids: readonly number[], length: number): readonly number[] {
    const stream = new TextStream(this.#tokenizer);
    const before = ids.map((id) => {
      const offset = stream.characterCount;
      stream.push(id);
      return offset;
    });
    stream.flush();
    const added = stream.characterCount - length;
    return before.map((offset) => Math.max(0, offset - added));
  }

  #placed(choice: number, tokens: readonly AnswerToken[]): AnswerToken[] {
    const before = characters(this.#echoed(choice));
    return tokens.map((token) => ({ ...token, offset: before + token.offset }));
  }

  #echoed(choice: number): string {
    return this.#request.echo?.[this.#promptOf(choice)] ?? '';
  }

  #promptOf(choice: number): number {
    return Math.floor(choice / this.#request.generation.answersPerPrompt);
  }

  #logprobs(tokens: readonly AnswerToken[]): CompletionLogprobs {
    return {
      tokens: tokens.map(({ id }) => tokenText(this.#tokenizer, id)),
      token_logprobs: tokens.map(({ logprobs }) => (logprobs === null ? null : finite(logprobs.logprob))),
      top_logprobs: tokens.map(({ id, logprobs }) => (logprobs === null ? null : Object.fromEntries(withChosen(id, logprobs).map((each) => [tokenText(this.#tokenizer, each.id), finite(each.logprob)])))),
      text_offset: tokens.map(({ offset }) => offset),
    };
  }
}
