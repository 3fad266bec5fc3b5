import { type SequenceStats } from '@essaim/core';
import { type GenerationRequest, promptTokenCount } from '../generation/request.ts';

/** What a request took, as OpenAI's API says it. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  /** Guesses of the lead: those that became part of the answers, and those that did not. Only the former are among `completion_tokens`. */
  readonly completion_tokens_details: { readonly accepted_prediction_tokens: number; readonly rejected_prediction_tokens: number };
}

export interface AnswerUsage {
  readonly completionTokens: number;
  readonly stats: Pick<SequenceStats, 'cachedPromptTokens' | 'acceptedDraftTokens' | 'rejectedDraftTokens'>;
}

/** Answers in the order of their choices. Each prompt counts once: of its tokens, cached are those that none of its answers computed. */
export function usageOf(request: Pick<GenerationRequest, 'prompts' | 'answersPerPrompt'>, answers: readonly AnswerUsage[]): Usage {
  const { prompts, answersPerPrompt } = request;
  const promptTokens = promptTokenCount(request);
  const sum = (of: (answer: AnswerUsage) => number): number => answers.reduce((total, answer) => total + of(answer), 0);
  const completionTokens = sum((answer) => answer.completionTokens);
  const cachedTokens = prompts.reduce((total, _, prompt) => {
    const own = answers.slice(prompt * answersPerPrompt, (prompt + 1) * answersPerPrompt);
    return total + Math.min(...own.map(({ stats }) => stats.cachedPromptTokens));
  }, 0);
  return {
    prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { accepted_prediction_tokens: sum(({ stats }) => stats.acceptedDraftTokens), rejected_prediction_tokens: sum(({ stats }) => stats.rejectedDraftTokens) },
  };
}
