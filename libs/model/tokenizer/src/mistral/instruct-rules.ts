import { AppError } from '@essaim/core';
import { type ChatMessage, type Conversation, type MessageOf, type ToolCall } from '../conversation.ts';
import { type InstructFormat } from './instruct-format.ts';

const MAY_FOLLOW: Readonly<Record<ChatMessage['role'], readonly ChatMessage['role'][]>> = {
  system: ['system', 'user', 'assistant'],
  user: ['system', 'user', 'assistant'],
  assistant: ['user', 'assistant', 'tool'],
  tool: ['user', 'assistant', 'tool'],
};
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const CALL_ID = /^[a-zA-Z0-9]{9}$/;

/** Refuses with `invalid_argument` what the models never saw (mistral-common's validators): an order of messages, calls without results, unusable names. */
export function requireRules({ messages, tools }: Conversation, format: InstructFormat): void {
  if (format.tools === null && (tools.length > 0 || messages.some((message) => message.role === 'tool' || callsOf(message).length > 0))) {
    throw new AppError('invalid_argument', 'this model was not taught to use tools: leave tools and their calls out', { param: 'tools' });
  }
  for (const { name } of tools) requireName(name, 'tools');
  requireOrder(messages);
  requireResults(messages);
  if (format.results === 'json with name') requireSingleResults(messages);
  messages.forEach((message, index) => {
    if (message.role === 'assistant') requireAnswer(message, index, format);
    if (message.role === 'tool') requireCallId(message.toolCallId, format);
  });
}

export const callsOf = (message: ChatMessage): readonly ToolCall[] => (message.role === 'assistant' ? (message.toolCalls ?? []) : []);

export const refusal = (sentence: string): AppError => new AppError('invalid_argument', sentence, { param: 'messages' });

function requireOrder(messages: readonly ChatMessage[]): void {
  messages.slice(1).forEach(({ role }, index) => {
    const before = messages[index]!.role;
    if (!MAY_FOLLOW[before].includes(role)) throw refusal(`messages[${index + 1}] has the role ${role} after ${before}: after ${before} this model knows only ${MAY_FOLLOW[before].join(', ')}`);
  });
  messages.forEach((message, index) => {
    const isLast = index === messages.length - 1;
    if (message.role === 'assistant' && (message.continued ?? false) !== isLast) {
      throw refusal(isLast ? 'the last message is an answer: end with a message of the user or a tool' : `messages[${index}] is the beginning of an answer: only the last message may be one`);
    }
  });
  if (messages[0]?.role === 'tool') throw refusal('messages[0] is the result of a call that no message asks for: begin with a message of the system or the user');
}

/** Before the next answer every call of the one before has its result, and no result has another call. */
function requireResults(messages: readonly ChatMessage[]): void {
  let open = new Set<string>();
  messages.forEach((message, index) => {
    if (message.role === 'tool' && !open.delete(message.toolCallId)) throw refusal(`messages[${index}] answers a call that no message before it asks for, or that was answered: give tool_call_id the id of an open call`);
    if (message.role !== 'assistant') return;
    if (open.size > 0) throw refusal(`messages[${index}] is an answer before all tool calls have their results: add a message of the role tool for each`);
    const ids = callsOf(message).map(({ id }) => id);
    open = new Set(ids);
    if (new Set(ids).size < ids.length) throw refusal(`messages[${index}] has two tool calls with the same id: give each its own`);
  });
  if (open.size > 0) throw refusal('the conversation ends before all tool calls have their results: add a message of the role tool for each');
}

/** Of the turns that the model reads at all. */
function requireSingleResults(messages: readonly ChatMessage[]): void {
  const start = messages.findLastIndex(({ role }) => role === 'user') + 1;
  const second = messages.findIndex(({ role }, index) => index > start && role === 'tool' && messages[index - 1]!.role === 'tool');
  if (second !== -1) throw refusal(`messages[${second}] is the second result of one answer's calls: this model was taught to call one tool at a time`);
}

function requireAnswer(message: MessageOf<'assistant'>, index: number, format: InstructFormat): void {
  const calls = callsOf(message);
  if (message.content === '' && calls.length === 0) throw refusal(`messages[${index}] is an answer without content and without tool calls: give it one of them`);
  if (format.system !== 'own tokens' && message.content !== '' && calls.length > 0) throw refusal(`messages[${index}] has content and tool calls: this model was taught to give one of them`);
  for (const { id, name } of calls) {
    requireCallId(id, format);
    requireName(name, 'messages');
  }
}

function requireName(name: string, param: string): void {
  if (!NAME.test(name)) throw new AppError('invalid_argument', 'a tool has a name that this model can\'t call: use 1 to 64 letters, digits, underscores and dashes', { param });
}

/** Where the model reads ids, it was taught ids of one form. */
function requireCallId(id: string, { results }: InstructFormat): void {
  const readsIds = results === 'json with id' || results === 'text with id';
  if (readsIds ? !CALL_ID.test(id) : id === '') throw refusal(`a tool call has an id that this model can't read: ${readsIds ? 'use 9 letters and digits' : 'give it one'}`);
}
