import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ChatMessage, type Conversation, type ToolDefinition } from '@essaim/tokenizer';

const read = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
const readJson = (name: string): unknown => JSON.parse(read(`vectors/${name}.json`).toString('utf8'));

const ids = z.array(z.int());
const encodingSchema = z.object({
  texts: z.array(z.object({ text: z.string(), ids, decoded: z.string() })),
  long: z.array(z.object({ unit: z.string(), count: z.int(), idCount: z.int(), sha256: z.string() })),
});
const transformersSchema = z.object({ madeWith: z.unknown() }).catchall(z.object({ texts: encodingSchema.shape.texts, prompts: z.record(z.string(), ids.nullable()) }));
const files = z.record(z.string(), z.string());
const textsSchema = z.object({ madeWith: z.unknown(), files }).catchall(encodingSchema);

const callSchema = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) });
const conversationSchema = z.object({
  messages: z.array(z.object({
    role: z.enum(['system', 'user', 'assistant', 'tool']), content: z.string(), prefix: z.boolean().optional(),
    tool_calls: z.array(callSchema).optional(), tool_call_id: z.string().optional(), name: z.string().optional(),
  })),
  tools: z.array(z.object({ function: z.object({ name: z.string(), description: z.string(), parameters: z.looseObject({}) }) })).optional(),
  reasoning_effort: z.string().optional(),
});
const conversationsSchema = z.object({
  files,
  /** What the tekken.json of each version says beside what the cut one says. */
  tekkenVariants: z.record(z.string(), z.object({}).loose()),
  conversations: z.record(z.string(), conversationSchema),
  /** Ids by tokenizer and conversation; null where the oracle refuses the conversation. */
  prompts: z.record(z.string(), z.record(z.string(), ids.nullable())),
});

/** As OpenAI's clients send it. */
type OpenAiConversation = z.output<typeof conversationSchema>;

export function readMistralTexts(): { files: Record<string, string>; encodings: Record<string, z.output<typeof encodingSchema>> } {
  const { madeWith: _, files: digests, ...encodings } = textsSchema.parse(readJson('mistral-texts'));
  return { files: digests, encodings };
}

export const readMistralConversations = (): z.output<typeof conversationsSchema> => conversationsSchema.parse(readJson('mistral-conversations'));

/** One of the cut tokenizers. */
export const readTokenizerFile = (name: string): Uint8Array => Uint8Array.from(read(`tokenizers/${name}`));

export function readTransformersTexts(): Record<string, { texts: z.output<typeof encodingSchema>['texts']; prompts: Record<string, number[] | null> }> {
  const { madeWith: _, ...tokenizers } = transformersSchema.parse(readJson('transformers-texts'));
  return tokenizers;
}

export function toConversation({ messages, tools = [], reasoning_effort: effort }: OpenAiConversation): Conversation {
  return {
    reasoningEffort: effort ?? null,
    tools: tools.map((tool): ToolDefinition => tool.function),
    messages: messages.map(({ role, content, prefix, tool_calls: calls, tool_call_id: toolCallId, name }): ChatMessage => {
      if (role === 'tool') return { role, content, toolCallId: toolCallId!, ...(name === undefined ? {} : { name }) };
      if (role !== 'assistant') return { role, content };
      return { role, content, continued: prefix ?? false, toolCalls: (calls ?? []).map((call) => ({ id: call.id, ...call.function })) };
    }),
  };
}
