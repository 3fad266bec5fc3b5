import { assert, type FinishReason, type PositionLogprobs } from '@essaim/core';
import { type AnswerToken } from './answer.ts';
import { type ChoiceEvent } from './generation.ts';

/** A whole answer. */
export interface Answer {
  readonly text: string;
  readonly tokens: readonly AnswerToken[];
  readonly promptLogprobs: readonly (PositionLogprobs | null)[];
  readonly finishReason: FinishReason;
  readonly completionTokens: number;
  readonly cachedPromptTokens: number;
}

type Draft = { -readonly [K in keyof Answer]: Answer[K] extends readonly (infer T)[] ? T[] : Answer[K] } & { done: boolean };

/** The answers of a request once they are complete, in the order of their choices. */
export async function collectAnswers(events: AsyncIterable<ChoiceEvent>, choices: number): Promise<readonly Answer[]> {
  const drafts = Array.from({ length: choices }, (): Draft => ({ text: '', tokens: [], promptLogprobs: [], finishReason: 'stop', completionTokens: 0, cachedPromptTokens: 0, done: false }));
  for await (const event of events) {
    const draft = drafts[event.choice];
    assert(draft, 'an event belongs to a choice of its request');
    add(draft, event);
  }
  assert(drafts.every(({ done }) => done), 'an answer ends with done or an error');
  return drafts;
}

function add(draft: Draft, event: ChoiceEvent): void {
  switch (event.kind) {
    case 'prompt':
      draft.promptLogprobs = [...event.logprobs];
      break;
    case 'delta':
      draft.text += event.text;
      if (event.token !== null) draft.tokens.push(event.token);
      break;
    case 'done':
      Object.assign(draft, { finishReason: event.finishReason, completionTokens: event.completionTokens, cachedPromptTokens: event.stats.cachedPromptTokens, done: true });
  }
}
