import { type Answer } from '../generation/collect.ts';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type GenerationRequest, promptTokenCount } from '../generation/request.ts';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** How one API writes an answer: whole, or as the chunks of a stream. One for each request. */
export interface AnswerFormat {
  whole(answers: readonly Answer[], usage: Usage): object;
  /** What an event has to tell; often one chunk, or none while text is held back. */
  chunks(event: ChoiceEvent): readonly object[];
  /** The chunk after the last one, for clients that ask for it. */
  usageChunk(usage: Usage): object;
}

export function usageOf(request: GenerationRequest, completionTokens: number): Usage {
  const promptTokens = promptTokenCount(request);
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens };
}
