import { type Random } from './random.ts';

/** The lower ids of a vocabulary are control tokens. */
const CONTROL_TOKENS = 3;

export interface PromptShape {
  readonly tokens: number;
  readonly vocabSize: number;
}

/** A prompt that begins like no other, so that nothing of it can be answered from a cache. */
export function randomPrompt(random: Random, { tokens, vocabSize }: PromptShape): number[] {
  return Array.from({ length: tokens }, () => CONTROL_TOKENS + random.below(vocabSize - CONTROL_TOKENS));
}
