import { AppError, type Clock } from '@essaim/core';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type GenerationRequest } from '../generation/request.ts';
import { type AnswerFormat } from './answer-format.ts';
import { toHttpFailure } from './failure.ts';
import { withHeartbeat } from './heartbeat.ts';
import { type StreamOptions } from './stream-options.ts';
import { type AnswerUsage, usageOf } from './usage.ts';

/** Proxies drop connections that are silent for 30 to 60 seconds. */
const HEARTBEAT_MS = 10_000;

export interface StreamedAnswer {
  readonly request: GenerationRequest;
  readonly events: AsyncIterable<ChoiceEvent>;
  readonly format: AnswerFormat;
  readonly options: StreamOptions;
  readonly clock: Clock;
  readonly onFailure: (error: AppError) => void;
}

/**
 * Server-sent events in the form that OpenAI's clients read: a `data:` line per chunk, `[DONE]` at the end. A failure before the first
 * line is thrown, so that it gets a status of its own; a later one is the last line, with an `error` instead of `choices`.
 */
export async function* eventStream({ request, events, format, options, clock, onFailure }: StreamedAnswer): AsyncGenerator<string, void, undefined> {
  let begun = false;
  const answers: AnswerUsage[] = [];
  try {
    for await (const event of withHeartbeat(events, { everyMs: HEARTBEAT_MS, clock })) {
      const lines = event === 'quiet' ? ': waiting\n\n' : format.chunks(event).map(data).join('');
      if (event !== 'quiet' && event.kind === 'done') answers[event.choice] = event;
      if (lines === '') continue;
      begun = true;
      yield lines;
    }
    if (options.includeUsage) yield data(format.usageChunk(usageOf(request, answers)));
    yield 'data: [DONE]\n\n';
  } catch (thrown) {
    if (!begun) throw thrown;
    const error = AppError.from(thrown);
    onFailure(error);
    yield data(toHttpFailure(error).body);
  }
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
