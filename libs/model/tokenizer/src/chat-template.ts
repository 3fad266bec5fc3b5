import { type Constraint } from '@essaim/core';
import { type AnswerReader, type AnswerReaderOptions } from './answer-reader.ts';
import { type Conversation, type ToolDefinition } from './conversation.ts';
import { type PromptPiece, type Tokenizer } from './tokenizer.ts';

/** Turns a conversation into the prompt of its next answer. */
export interface ChatTemplate {
  /** Fails with `invalid_argument` when the model's way of talking has no place for the conversation, or it takes too long to lay it out. */
  render(conversation: Conversation): readonly PromptPiece[];
  /** Reads one answer of the model, calls of tools included; null where it is not known how the model writes them. */
  readonly readAnswer: ((options: AnswerReaderOptions) => AnswerReader) | null;
  /** Answers that are 1 to `most` calls of these tools and nothing else; null as above. */
  readonly onlyCalls: ((tools: readonly ToolDefinition[], options: { readonly most: number }) => Constraint) | null;
}

/**
 * For a base model, which knows no roles: the contents joined by blank lines, and nothing else. Role words would be continued as
 * dialogue of a play; so a conversation is a text whose end the model continues.
 */
export function joinContents({ beginning }: Pick<Tokenizer, 'beginning'>): ChatTemplate {
  return { readAnswer: null, onlyCalls: null, render: ({ messages }) => [...beginning, messages.map(({ content }) => content).join('\n\n')] };
}
