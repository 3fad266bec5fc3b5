import { expect, it } from 'vitest';
import { usageOf } from './usage.ts';

const prompts = [{ ids: [1, 2, 3, 4], maxTokens: 8 }, { ids: [5, 6, 7], maxTokens: 8 }];

it('counts each prompt once, and of it as cached what none of its answers computed', () => {
  const answers = [[5, 0], [6, 3], [7, 2], [8, 1]].map(([completionTokens, cachedPromptTokens]) => ({
    completionTokens: completionTokens!, stats: { cachedPromptTokens: cachedPromptTokens!, acceptedDraftTokens: 2, rejectedDraftTokens: 1 },
  }));
  expect(usageOf({ prompts, answersPerPrompt: 2 }, answers)).toEqual({
    prompt_tokens: 7, completion_tokens: 26, total_tokens: 33, prompt_tokens_details: { cached_tokens: 1 },
    completion_tokens_details: { accepted_prediction_tokens: 8, rejected_prediction_tokens: 4 },
  });
});
