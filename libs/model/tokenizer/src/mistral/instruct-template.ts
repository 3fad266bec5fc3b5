import { AppError } from '@essaim/core';
import { type ChatTemplate } from '../chat-template.ts';
import { type ChatMessage, type Conversation, type MessageOf, type ToolCall, type ToolDefinition } from '../conversation.ts';
import { type PromptPiece, type SpecialToken, type Tokenizer } from '../tokenizer.ts';
import { callGrammar } from './call-grammar.ts';
import { CallReader } from './call-reader.ts';
import { INSTRUCT_FORMATS, type InstructFormat, type InstructVersion } from './instruct-format.ts';
import { callsOf, refusal, requireRules } from './instruct-rules.ts';
import { PARAGRAPH, systemPrompt, toTurns } from './instruct-turns.ts';
import { parsePythonJson, pythonJson } from './python-json.ts';
import { type TekkenFile } from './tekken-file.ts';

export interface InstructOptions {
  readonly tokenizer: Tokenizer;
  readonly version: InstructVersion;
  readonly reasoningEfforts: TekkenFile['reasoningEfforts'];
}

/** Mistral's own layout of a conversation: piece for piece what mistral-common writes. Fails with `failed_precondition` when the vocabulary lacks a token of it. */
export function createInstructTemplate({ tokenizer, version, reasoningEfforts }: InstructOptions): ChatTemplate {
  const format = INSTRUCT_FORMATS[version];
  const token = (name: string): SpecialToken => {
    const found = tokenizer.specialToken(name);
    if (found === null) throw new AppError('failed_precondition', `the tokenizer is of version ${version} and has no token ${name}: download its file again`);
    return found;
  };
  format.tokens.forEach(token);
  const layout = new Layout(format, token);
  return {
    readAnswer: format.tools === null ? null : (options) => new CallReader(tokenizer, options),
    onlyCalls: format.tools === null ? null : (tools, { most }) => callGrammar({ form: format.calls, token, tools, most }),
    render: (conversation) => {
      requireRules(conversation, format);
      return [...tokenizer.beginning, ...layout.conversation(conversation, settingsOf(conversation, reasoningEfforts))];
    },
  };
}

/** What the model is told of how to answer; null where it is told nothing. */
function settingsOf({ reasoningEffort }: Conversation, efforts: InstructOptions['reasoningEfforts']): object | null {
  if (reasoningEffort !== null && !(efforts?.values.includes(reasoningEffort) ?? false)) {
    const advice = efforts === null ? 'leave it out' : `use one of ${efforts.values.join(', ')}`;
    throw new AppError('invalid_argument', `this model does not know this reasoning_effort: ${advice}`, { param: 'reasoning_effort' });
  }
  const effort = reasoningEffort ?? efforts?.fallback ?? null;
  return effort === null ? null : { reasoning_effort: effort };
}

/** The pieces of a conversation, turn by turn. */
class Layout {
  readonly #format: InstructFormat;
  readonly #token: (name: string) => SpecialToken;

  constructor(format: InstructFormat, token: (name: string) => SpecialToken) {
    this.#format = format;
    this.#token = token;
  }

  conversation({ messages, tools }: Conversation, settings: object | null): PromptPiece[] {
    const turns = toTurns(messages, this.#format);
    const lastUser = turns.findLastIndex(({ role }) => role === 'user');
    const places = { 'first user': turns.findIndex(({ role }) => role === 'user'), 'last user': lastUser, 'own tokens': -1 };
    const head = { place: places[this.#format.system], text: systemPrompt(messages, this.#format) };
    const before = { place: places[this.#format.tools ?? 'own tokens'], pieces: [...this.#tools(tools), ...this.#settings(settings)] };
    return turns.flatMap((turn, index) => {
      if (turn.role !== 'user') return this.#forgets(turn, index < lastUser) ? [] : this.#turn(turn);
      const content = index === head.place && head.text !== '' ? head.text + PARAGRAPH + turn.content : turn.content;
      return [...(index === before.place ? before.pieces : []), ...this.#user(content)];
    });
  }

  /** The oldest models with tools were not shown the calls and results of former turns. */
  #forgets(turn: ChatMessage, isFormer: boolean): boolean {
    return isFormer && this.#format.calls === 'list' && (turn.role === 'tool' || callsOf(turn).length > 0);
  }

  #tools(tools: readonly ToolDefinition[]): PromptPiece[] {
    if (tools.length === 0) return [];
    const described = tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));
    return this.#between('[AVAILABLE_TOOLS]', pythonJson(described));
  }

  #settings(settings: object | null): PromptPiece[] {
    return settings === null ? [] : this.#between('[MODEL_SETTINGS]', pythonJson(settings));
  }

  #user(content: string): PromptPiece[] {
    return this.#format.tools === null ? [`[INST] ${content} [/INST]`] : this.#between('[INST]', content);
  }

  #turn(turn: Exclude<ChatMessage, MessageOf<'user'>>): PromptPiece[] {
    if (turn.role === 'tool') return this.#result(turn);
    return turn.role === 'assistant' ? this.#answer(turn) : this.#between('[SYSTEM_PROMPT]', turn.content);
  }

  #answer({ content, toolCalls = [], continued = false }: MessageOf<'assistant'>): PromptPiece[] {
    const text = this.#format.trimsAnswers ? withoutLastSpaces(content) : content;
    return [...(content === '' ? [] : [text]), ...this.#calls(toolCalls), ...(continued ? [] : [this.#token('</s>')])];
  }

  #calls(calls: readonly ToolCall[]): PromptPiece[] {
    if (calls.length === 0) return [];
    const { calls: form } = this.#format;
    const [begin, withIds] = [this.#token('[TOOL_CALLS]'), form === 'list with ids' || form === 'tokens with ids'];
    if (form === 'list' || form === 'list with ids') {
      return [begin, pythonJson(calls.map((call) => ({ name: call.name, arguments: jsonOrText(call.arguments), ...(withIds ? { id: call.id } : {}) })))];
    }
    return calls.flatMap((call) => [
      begin, call.name, ...(withIds ? [this.#token('[CALL_ID]'), call.id] : []), this.#token('[ARGS]'), pythonJson(jsonOrText(call.arguments)),
    ]);
  }

  #result({ content, toolCallId, name }: MessageOf<'tool'>): PromptPiece[] {
    switch (this.#format.results) {
      case 'json with name':
        if (name === undefined) throw refusal('the result of a tool has no name: give it the name of the tool that was called');
        return this.#between('[TOOL_RESULTS]', pythonJson([{ name, content: jsonOrText(content) }]));
      case 'json with id':
        return this.#between('[TOOL_RESULTS]', pythonJson({ content: jsonOrText(content), call_id: toolCallId }));
      case 'text with id':
        return [this.#token('[TOOL_RESULTS]'), toolCallId, this.#token('[TOOL_CONTENT]'), content, this.#token('[/TOOL_RESULTS]')];
      case 'text':
        return this.#between('[TOOL_RESULTS]', content);
    }
  }

  #between(begin: `[${string}]`, text: string): PromptPiece[] {
    return [this.#token(begin), text, this.#token(begin.replace('[', '[/'))];
  }
}

/** A pattern for this takes the square of the length of a run of spaces inside the text. */
function withoutLastSpaces(text: string): string {
  let end = text.length;
  while (text[end - 1] === ' ') end--;
  return text.slice(0, end);
}

/** Nothing is an empty object, JSON is itself, anything else is a text. */
function jsonOrText(text: string): unknown {
  if (text === '') return {};
  const value = parsePythonJson(text);
  return value === undefined ? text : value;
}
