import { type ChatMessage, type Conversation } from '../conversation.ts';

/**
 * A conversation in the form that Hugging Face's templates read: OpenAI's, with the arguments of calls as objects. Every text that a
 * client may write goes through `word`, names and keys included.
 */
export function templateVariables({ messages, tools, reasoningEffort }: Conversation, word: (text: string) => string): Record<string, unknown> {
  const message = (each: ChatMessage): object => {
    const { role } = each;
    const content = word(each.content);
    if (role === 'tool') return { role, content, tool_call_id: word(each.toolCallId), ...(each.name === undefined ? {} : { name: word(each.name) }) };
    if (role !== 'assistant' || each.toolCalls === undefined || each.toolCalls.length === 0) return { role, content };
    const calls = each.toolCalls.map(({ id, name, arguments: text }) => ({ id: word(id), type: 'function', function: { name: word(name), arguments: mapTexts(jsonOrText(text), word) } }));
    return { role, content, tool_calls: calls };
  };
  const tool = ({ name, description, parameters }: Conversation['tools'][number]): object => ({
    type: 'function', function: { name: word(name), description: word(description), parameters: mapTexts(parameters, word) },
  });
  return {
    messages: messages.map(message),
    ...(tools.length === 0 ? {} : { tools: tools.map(tool) }),
    ...(reasoningEffort === null ? {} : { reasoning_effort: word(reasoningEffort) }),
    add_generation_prompt: true,
  };
}

function mapTexts(value: unknown, word: (text: string) => string): unknown {
  if (typeof value === 'string') return word(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, word));
  // A template has no use for a bigint, which only a number too long for JavaScript is read as.
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [word(key), mapTexts(each, word)]));
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return text;
  }
}
