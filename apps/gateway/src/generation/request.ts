import { type Constraint, type RequestId, type SamplingParams } from '@essaim/core';
import { type AnswerReader } from '@essaim/tokenizer';

export interface Prompt {
  /** At least one. */
  readonly ids: readonly number[];
  /** New tokens at most: with the prompt they fit the model's context. None where only the prompt's log probabilities are wanted. */
  readonly maxTokens: number;
}

/** A request that can't be wrong any more: what the HTTP and the gRPC edge both parse into. */
export interface GenerationRequest {
  readonly requestId: RequestId;
  readonly prompts: readonly Prompt[];
  /** Answers to each prompt, which differ by their seeds: the first has `sampling.seed`, each further one the next number. */
  readonly answersPerPrompt: number;
  readonly sampling: SamplingParams;
  readonly minTokens: number;
  /** Texts that end an answer, none of them empty. */
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  /** Lower is served earlier. */
  readonly priority: number;
  /** Alternatives per token of the answer; null for none at all. */
  readonly logprobs: number | null;
  /** The same for the prompt's tokens. */
  readonly promptLogprobs: number | null;
  /** What every answer must be, checked; absent where it may be anything. */
  readonly constraint?: Constraint;
  /** Takes an answer apart that may call tools; absent where answers are text alone. */
  readonly openReader?: () => AnswerReader;
}

/** Sequences that a request asks for. */
export const sequenceCount = ({ prompts, answersPerPrompt }: Pick<GenerationRequest, 'prompts' | 'answersPerPrompt'>): number => prompts.length * answersPerPrompt;

/** Each prompt counts once, however many answers it gets. */
export const promptTokenCount = ({ prompts }: Pick<GenerationRequest, 'prompts'>): number => prompts.reduce((sum, { ids }) => sum + ids.length, 0);
