import { type Answer } from '../generation/collect.ts';
import { type ChoiceEvent } from '../generation/generation.ts';
import { type Usage } from './usage.ts';

/** How one API writes an answer: whole, or as the chunks of a stream. One for each request. */
export interface AnswerFormat {
  whole(answers: readonly Answer[], usage: Usage): object;
  /** What an event has to tell; often one chunk, or none while text is held back. */
  chunks(event: ChoiceEvent): readonly object[];
  /** The chunk after the last one, for clients that ask for it. */
  usageChunk(usage: Usage): object;
}
