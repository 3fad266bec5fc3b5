import { assert, type FinishReason, type PositionLogprobs, type SequenceStats } from '@essaim/core';
import { type ToolCall } from '@essaim/tokenizer';
import { type AnswerToken } from './answer.ts';
import { type ChoiceEvent } from './generation.ts';

/** A whole answer. */
export interface Answer {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly tokens: readonly AnswerToken[];
  readonly promptLogprobs: readonly (PositionLogprobs | null)[];
  readonly finishReason: FinishReason;
  readonly completionTokens: number;
  readonly stats: SequenceStats;
}

type Ending = Pick<Answer, 'finishReason' | 'completionTokens' | 'stats'>;
interface Draft {
  text: string;
  readonly calls: ToolCall[];
  readonly tokens: AnswerToken[];
  promptLogprobs: Answer['promptLogprobs'];
  ending: Ending | null;
}

/** The answers of a request once they are complete, in the order of their choices. */
export async function collectAnswers(events: AsyncIterable<ChoiceEvent>, choices: number): Promise<readonly Answer[]> {
  const drafts = Array.from({ length: choices }, (): Draft => ({ text: '', calls: [], tokens: [], promptLogprobs: [], ending: null }));
  for await (const event of events) {
    const draft = drafts[event.choice];
    assert(draft, 'an event belongs to a choice of its request');
    add(draft, event);
  }
  return drafts.map(({ ending, ...draft }) => {
    assert(ending, 'an answer ends with done or an error');
    return { ...draft, ...ending };
  });
}

function add(draft: Draft, event: ChoiceEvent): void {
  switch (event.kind) {
    case 'prompt':
      draft.promptLogprobs = event.logprobs;
      break;
    case 'delta':
      draft.text += event.text;
      draft.calls.push(...(event.calls ?? []));
      if (event.token !== null) draft.tokens.push(event.token);
      break;
    case 'done':
      draft.ending = { finishReason: event.finishReason, completionTokens: event.completionTokens, stats: event.stats };
  }
}
