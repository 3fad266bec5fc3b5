import { z } from 'zod';
import { type ChatMessage } from '@essaim/tokenizer';

/** Messages of one conversation: a template's time grows with them. */
export const MESSAGES = 2_048;
const TOOL_CALLS = 128;

const textParts = z.array(z.object({ type: z.literal('text'), text: z.string() })).transform((parts) => parts.map(({ text }) => text).join(''));
const content = z.union([z.string(), textParts]);

const toolCall = z.object({ id: z.string(), type: z.literal('function').nullish(), function: z.object({ name: z.string(), arguments: z.string() }) })
  .transform(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: text }));

const spoken = z.object({ role: z.enum(['system', 'developer', 'user']), content })
  // OpenAI's newer name for the system; templates know the older one.
  .transform(({ role, content: text }): ChatMessage => ({ role: role === 'user' ? 'user' : 'system', content: text }));
const answer = z.object({ role: z.literal('assistant'), content: content.nullish(), tool_calls: z.array(toolCall).max(TOOL_CALLS).nullish(), prefix: z.boolean().nullish() })
  .transform(({ role, content: text, tool_calls: toolCalls, prefix }): ChatMessage => ({ role, content: text ?? '', toolCalls: toolCalls ?? [], continued: prefix ?? false }));
const result = z.object({ role: z.literal('tool'), content, tool_call_id: z.string(), name: z.string().nullish() })
  .transform(({ role, content: text, tool_call_id: toolCallId, name }): ChatMessage => ({ role, content: text, toolCallId, ...(name == null ? {} : { name }) }));

/** A message as OpenAI's and Mistral's clients send it. */
export const chatMessage = z.union([spoken, answer, result]);
