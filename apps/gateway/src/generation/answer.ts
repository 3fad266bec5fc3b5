import { type FinishReason, type PositionLogprobs, type SequenceEvent, type SequenceStats } from '@essaim/core';
import { type AnswerParts, type AnswerReader, StopScanner, type ToolCall } from '@essaim/tokenizer';

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
  | { readonly kind: 'delta'; readonly text: string; /** Whole ones, after the text. */ readonly calls?: readonly ToolCall[]; readonly token: AnswerToken | null }
  | { readonly kind: 'done'; readonly finishReason: FinishReason; readonly completionTokens: number; readonly stats: SequenceStats };

export interface AnswerSource {
  readonly events: AsyncIterable<SequenceEvent>;
  /** What is known of the sequence while it runs: an answer that a stop string ends has no last word of its lead. */
  readonly stats: () => SequenceStats;
}

/** Tokens become text, and calls of tools where the reader finds any. Leaves the source at a stop string, which ends its sequence. */
export async function* readAnswer({ events, stats }: AnswerSource, { reader, stop }: { readonly reader: AnswerReader; readonly stop: readonly string[] }): AsyncGenerator<AnswerEvent, void, undefined> {
  const scanner = new StopScanner(stop);
  let completionTokens = 0;
  for await (const event of events) {
    if (event.kind === 'prompt') yield event;
    if (event.kind === 'token') {
      completionTokens++;
      const token: AnswerToken = { id: event.id, offset: reader.characterCount, logprobs: event.logprobs };
      const { stopped, ...delta } = scan(reader.push(event.id), scanner);
      yield { kind: 'delta', ...delta, token };
      if (stopped) return yield { kind: 'done', finishReason: 'stop', completionTokens, stats: stats() };
    }
    if (event.kind === 'done') {
      const { stopped, ...delta } = scan(reader.flush(), scanner);
      const text = stopped ? delta.text : delta.text + scanner.flush();
      if (text !== '' || delta.calls !== undefined) yield { kind: 'delta', ...delta, text, token: null };
      yield { kind: 'done', finishReason: stopped ? 'stop' : event.finishReason, completionTokens, stats: event.stats };
    }
  }
}

/** Stop strings are looked for in text alone; where a call follows, no text can complete one any more. */
function scan({ text, calls }: AnswerParts, scanner: StopScanner): { readonly text: string; readonly stopped: boolean; readonly calls?: readonly ToolCall[] } {
  const scanned = scanner.push(text);
  if (calls.length === 0 || scanned.stopped) return scanned;
  return { text: scanned.text + scanner.flush(), stopped: false, calls };
}
