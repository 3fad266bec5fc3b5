import { type TimedTokens } from '../rates.ts';
import { type Load, type Work } from './metrics.ts';

/** One of the two that are compared, running and ready. */
export interface Contender {
  /** Answers all prompts at once, greedily, each with exactly `newTokens` tokens, whatever ends an answer otherwise. Prompts have `promptTokens` at most. */
  generate(prompts: readonly (readonly number[])[], asked: Omit<Load, 'streams'> & { readonly work: Work }, signal: AbortSignal): Promise<readonly TimedTokens[]>;
  /** The 20 likeliest tokens after the prompt with their natural log probabilities, likeliest first. */
  predict(prompt: readonly number[], signal: AbortSignal): Promise<Prediction>;
  /** In bytes, the most that each process ever held, by the process's name; null where the system doesn't tell. */
  peakBytes(): Promise<Readonly<Record<string, number>> | null>;
}

export type Prediction = readonly { readonly id: number; readonly logprob: number }[];

export const PREDICTED_TOKENS = 20;
