import { type FinishReason, type PositionLogprobs, type SequenceEvent, type SequenceStats } from '@essaim/core';
import { StopScanner, TextStream, type Tokenizer } from '@essaim/tokenizer';

/** One token of an answer, or of its prompt. */
export interface AnswerToken {
  readonly id: number;
  /** Unicode characters before it. */
  readonly offset: number;
  /** Null where none are asked for, and for the first token of a prompt, which nothing predicts. */
  readonly logprobs: PositionLogprobs | null;
}

/** An answer as it comes. `done` is last; an error ends it as an AppError instead. */
export type AnswerEvent =
  | { readonly kind: 'prompt'; readonly logprobs: readonly (PositionLogprobs | null)[] }
  /** The text is whole characters that can't be part of a stop string any more: often it belongs to earlier tokens. */
  | { readonly kind: 'delta'; readonly text: string; readonly token: AnswerToken | null }
  | { readonly kind: 'done'; readonly finishReason: FinishReason; readonly completionTokens: number; readonly stats: SequenceStats };

export interface AnswerSource {
  readonly events: AsyncIterable<SequenceEvent>;
  /** What is known of the sequence while it runs: an answer that a stop string ends has no last word of its lead. */
  readonly stats: () => SequenceStats;
}

/** Tokens become text. Leaves the source at a stop string, which ends its sequence. */
export async function* readAnswer({ events, stats }: AnswerSource, { tokenizer, stop }: { readonly tokenizer: Tokenizer; readonly stop: readonly string[] }): AsyncGenerator<AnswerEvent, void, undefined> {
  const text = new TextStream(tokenizer);
  const scanner = new StopScanner(stop);
  let completionTokens = 0;
  for await (const event of events) {
    if (event.kind === 'prompt') yield event;
    if (event.kind === 'token') {
      completionTokens++;
      const token: AnswerToken = { id: event.id, offset: text.characterCount, logprobs: event.logprobs };
      const scanned = scanner.push(text.push(event.id));
      yield { kind: 'delta', text: scanned.text, token };
      if (scanned.stopped) return yield { kind: 'done', finishReason: 'stop', completionTokens, stats: stats() };
    }
    if (event.kind === 'done') {
      const { text: last, stopped } = scanner.push(text.flush());
      const rest = stopped ? last : last + scanner.flush();
      if (rest !== '') yield { kind: 'delta', text: rest, token: null };
      yield { kind: 'done', finishReason: stopped ? 'stop' : event.finishReason, completionTokens, stats: event.stats };
    }
  }
}
