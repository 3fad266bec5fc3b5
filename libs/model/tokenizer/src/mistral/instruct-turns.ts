import { type ChatMessage, type MessageOf } from '../conversation.ts';
import { type InstructFormat } from './instruct-format.ts';
import { callsOf } from './instruct-rules.ts';

/** Between the contents of messages that become one. */
export const PARAGRAPH = '\n\n';

/**
 * A conversation as the models saw them (mistral-common's normalizers): neighbours of one role are one message, and a model that has no
 * place for the system's words sees a user's message first.
 */
export function toTurns(messages: readonly ChatMessage[], { system, sortsResults }: InstructFormat): ChatMessage[] {
  const turns: ChatMessage[] = [];
  let callIds: string[] = [];
  for (const run of runsOfOneRole(messages)) {
    const { role } = run[0]!;
    if (role === 'user') turns.push({ role, content: joined(run) });
    if (role === 'system' && system === 'own tokens') turns.push(...run);
    if (role === 'assistant') {
      const toolCalls = run.flatMap(callsOf);
      turns.push({ role, content: joined(run), toolCalls, continued: run.some((message) => message.role === 'assistant' && message.continued === true) });
      callIds.push(...toolCalls.map(({ id }) => id));
    }
    if (role === 'tool') {
      const results = run as MessageOf<'tool'>[];
      turns.push(...(sortsResults ? inOrderOfCalls(results, callIds) : results));
      callIds = [];
    }
  }
  if (turns.length === 0 || (system !== 'own tokens' && turns[0]!.role !== 'user')) turns.unshift({ role: 'user', content: '' });
  return turns;
}

/** What a model reads at the head of a user's message; empty where the system says nothing, or has a place of its own. */
export const systemPrompt = (messages: readonly ChatMessage[], { system }: InstructFormat): string =>
  system === 'own tokens' ? '' : joined(messages.filter(({ role }) => role === 'system'));

const joined = (messages: readonly ChatMessage[]): string => messages.map(({ content }) => content).filter((content) => content !== '').join(PARAGRAPH);

function runsOfOneRole(messages: readonly ChatMessage[]): ChatMessage[][] {
  const runs: ChatMessage[][] = [];
  for (const message of messages) {
    const run = runs.at(-1);
    if (run?.[0]?.role === message.role) run.push(message);
    else runs.push([message]);
  }
  return runs;
}

function inOrderOfCalls(results: readonly MessageOf<'tool'>[], callIds: readonly string[]): MessageOf<'tool'>[] {
  const place = ({ toolCallId }: MessageOf<'tool'>): number => callIds.indexOf(toolCallId);
  return [...results].sort((one, other) => place(one) - place(other));
}
