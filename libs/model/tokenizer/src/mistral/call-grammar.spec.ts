import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Constraint } from '@essaim/core';
import { createChatTemplate, createTokenizer, joinContents, type ToolDefinition } from '../index.ts';
import { callGrammar } from './call-grammar.ts';

const TOOLS: readonly ToolDefinition[] = [{ name: 'weather', description: '', parameters: { type: 'object' } }, { name: 'clock', description: '', parameters: {} }];

/** As one would read it: tokens by their names, schemas in angle brackets. */
function written(constraint: Constraint, nameOf: (id: number) => string): string {
  switch (constraint.kind) {
    case 'token':
      return nameOf(constraint.id);
    case 'text':
      return constraint.text;
    case 'json schema':
      return `<${constraint.schema}>`;
    case 'regex':
      return `/${constraint.pattern}/`;
    case 'sequence':
      return constraint.parts.map((part) => written(part, nameOf)).join('');
    case 'choice':
      return `(${constraint.options.map((option) => written(option, nameOf)).join('|')})`;
    case 'repeat':
      return `${written(constraint.item, nameOf)}{${constraint.min},${constraint.max}}`;
    default:
      return constraint.kind;
  }
}

const TOKENS = '([TOOL_CALLS]weather[ARGS]<{"type":"object"}>|[TOOL_CALLS]clock[ARGS]<{}>){1,3}';
const TOKENS_WITH_IDS = '([TOOL_CALLS]weather[CALL_ID]/[a-zA-Z0-9]{9}/[ARGS]<{"type":"object"}>|[TOOL_CALLS]clock[CALL_ID]/[a-zA-Z0-9]{9}/[ARGS]<{}>){1,3}';
const CALL = '({"name": "weather", "arguments": <{"type":"object"}>}|{"name": "clock", "arguments": <{}>})';
const CALL_WITH_ID = '({"name": "weather", "arguments": <{"type":"object"}>, "id": "/[a-zA-Z0-9]{9}/"}|{"name": "clock", "arguments": <{}>, "id": "/[a-zA-Z0-9]{9}/"})';
const LIST_WITH_IDS = `[TOOL_CALLS]([| [)${CALL_WITH_ID}, ${CALL_WITH_ID}{0,2}]`;

describe('an answer that is nothing but calls', () => {
  const names = ['[TOOL_CALLS]', '[CALL_ID]', '[ARGS]'];
  it.each([['tokens', TOKENS], ['tokens with ids', TOKENS_WITH_IDS], ['list', `[TOOL_CALLS]([| [)${CALL}, ${CALL}{0,2}]`], ['list with ids', LIST_WITH_IDS]] as const)('is written as the model was taught: %s', (form, expected) => {
    const grammar = callGrammar({ form, token: (text) => ({ id: names.indexOf(text), text }), tools: TOOLS, most: 3 });
    expect(written(grammar, (id) => names[id]!)).toBe(expected);
  });

  it.each([['tekken', TOKENS], ['sentence-piece', LIST_WITH_IDS]])('is written as the template of a Hugging Face checkpoint writes calls: %s', (kind, expected) => {
    const read = (name: string): string => readFileSync(new URL(`../../../../../test/golden/tokenizers/hugging-face-${kind}/${name}`, import.meta.url), 'utf8');
    const tokenizerConfig = JSON.parse(read('tokenizer_config.json')) as object;
    const tokenizer = createTokenizer({ tokenizer: JSON.parse(read('tokenizer.json')) as object, tokenizerConfig });
    const template = createChatTemplate({ tokenizer, tokenizerConfig, templateFile: read('chat_template.jinja') });
    expect(written(template.onlyCalls!(TOOLS, { most: 3 }), (id) => tokenizer.decode([id]))).toBe(expected);
  });

  it('is not known of a model that knows no roles', () => {
    expect(joinContents({ beginning: [] }).onlyCalls).toBeNull();
  });
});
