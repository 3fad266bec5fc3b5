import { type Constraint } from '@essaim/core';
import { type ToolDefinition } from '../conversation.ts';
import { type SpecialToken } from '../tokenizer.ts';
import { type InstructFormat } from './instruct-format.ts';

export interface CallGrammarOptions {
  readonly form: InstructFormat['calls'];
  readonly token: (name: string) => SpecialToken;
  readonly tools: readonly ToolDefinition[];
  /** Calls in one answer. */
  readonly most: number;
}

const CALL_ID: Constraint = { kind: 'regex', pattern: '[a-zA-Z0-9]{9}' };
const text = (value: string): Constraint => ({ kind: 'text', text: value });
const sequence = (...parts: readonly Constraint[]): Constraint => ({ kind: 'sequence', parts });
const choice = (options: readonly Constraint[]): Constraint => ({ kind: 'choice', options });

/** An answer that is nothing but calls of these tools, at least one, as the model was taught to write them: what `CallReader` reads. */
export function callGrammar({ form, token, tools, most }: CallGrammarOptions): Constraint {
  const special = (name: string): Constraint => ({ kind: 'token', id: token(name).id });
  const argumentsOf = ({ parameters }: ToolDefinition): Constraint => ({ kind: 'json schema', schema: JSON.stringify(parameters) });
  if (form === 'tokens' || form === 'tokens with ids') {
    const id = form === 'tokens' ? [] : [special('[CALL_ID]'), CALL_ID];
    const calls = tools.map((tool) => sequence(special('[TOOL_CALLS]'), text(tool.name), ...id, special('[ARGS]'), argumentsOf(tool)));
    return { kind: 'repeat', item: choice(calls), min: 1, max: most };
  }
  const id = form === 'list' ? [] : [text(', "id": "'), CALL_ID, text('"')];
  const call = choice(tools.map((tool) => sequence(text(`{"name": ${JSON.stringify(tool.name)}, "arguments": `), argumentsOf(tool), ...id, text('}'))));
  const more: Constraint = { kind: 'repeat', item: sequence(text(', '), call), min: 0, max: most - 1 };
  // A vocabulary of SentencePiece's begins a text with a space.
  return sequence(special('[TOOL_CALLS]'), choice([text('['), text(' [')]), call, more, text(']'));
}
