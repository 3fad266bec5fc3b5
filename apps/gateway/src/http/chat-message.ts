import { z } from 'zod';
import { AppError } from '@essaim/core';
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

/** What OpenAI's and Mistral's clients may put in a message besides text. */
const PARTS: Readonly<Record<string, string>> = { image_url: 'an image', input_image: 'an image', input_audio: 'a sound', audio_url: 'a sound', video_url: 'a film', file: 'a file', document_url: 'a document', reference: 'a reference' };

/** Fails with `invalid_argument` and a sentence that names the part, where a message has one that is no text. */
export function refuseParts(body: unknown): void {
  const { messages } = (body ?? {}) as { readonly messages?: unknown };
  if (!Array.isArray(messages)) return;
  messages.forEach((message: { readonly content?: unknown } | null, index) => {
    if (!Array.isArray(message?.content)) return;
    message.content.forEach((part: { readonly type?: unknown } | null, place) => {
      const what = Object.hasOwn(PARTS, String(part?.type)) ? PARTS[String(part?.type)] : undefined;
      if (what !== undefined) throw new AppError('invalid_argument', `messages[${index}].content[${place}] is ${what}, which this model does not get to see here: send text`, { param: 'messages' });
    });
  });
}
