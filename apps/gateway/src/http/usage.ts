import { type Answer } from '../generation/collect.ts';
import { type GenerationRequest, promptTokenCount } from '../generation/request.ts';

/** What a request took, as OpenAI's API says it. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

export type AnswerUsage = Pick<Answer, 'completionTokens' | 'cachedPromptTokens'>;

/** Answers in the order of their choices. Each prompt counts once: of its tokens, cached are those that none of its answers computed. */
export function usageOf(request: Pick<GenerationRequest, 'prompts' | 'answersPerPrompt'>, answers: readonly AnswerUsage[]): Usage {
  const { prompts, answersPerPrompt } = request;
  const promptTokens = promptTokenCount(request);
  const completionTokens = answers.reduce((sum, answer) => sum + answer.completionTokens, 0);
  const cachedTokens = prompts.reduce((sum, _, prompt) => {
    const own = answers.slice(prompt * answersPerPrompt, (prompt + 1) * answersPerPrompt);
    return sum + Math.min(...own.map((answer) => answer.cachedPromptTokens));
  }, 0);
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens, prompt_tokens_details: { cached_tokens: cachedTokens } };
}
