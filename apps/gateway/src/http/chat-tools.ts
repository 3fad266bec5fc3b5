import { z } from 'zod';
import { AppError } from '@essaim/core';
import { type AnswerReader, type ChatTemplate, type ToolCall, toolCallId, type ToolDefinition } from '@essaim/tokenizer';

const TOOLS = 128;

const tool = z.object({
  type: z.literal('function'),
  function: z.object({ name: z.string(), description: z.string().nullish(), parameters: z.looseObject({}).nullish() }),
}).transform(({ function: { name, description, parameters } }): ToolDefinition => ({ name, description: description ?? '', parameters: parameters ?? { type: 'object', properties: {} } }));

export const toolFields = {
  tools: z.array(tool).max(TOOLS).nullish().describe(`a list of at most ${TOOLS} functions, each with a name, a description and the JSON schema of its parameters`),
  tool_choice: z.enum(['none', 'auto']).nullish().describe('none or auto: this version can\'t make a model call a tool'),
  parallel_tool_calls: z.boolean().nullish().describe('true or false'),
  reasoning_effort: z.string().max(32).nullish().describe('one of the model\'s own words for how much to think'),
} as const;

type ToolFields = z.output<z.ZodObject<typeof toolFields>>;

/** What the model is told of: nothing where it may not call. */
export const toTools = ({ tools, tool_choice: choice }: ToolFields): readonly ToolDefinition[] => (choice === 'none' ? [] : (tools ?? []));

/** Fails with `invalid_argument` where it is not known how the model writes calls. */
export function openReader({ readAnswer }: ChatTemplate, { parallel_tool_calls: parallel }: ToolFields): () => AnswerReader {
  if (readAnswer === null) throw new AppError('invalid_argument', 'tools are not known to this model: leave them out', { param: 'tools' });
  const open = (): AnswerReader => readAnswer({ newCallId: () => toolCallId(Math.random) });
  return parallel === false ? () => firstCallOf(open()) : open;
}

/** At most one call, whatever the model asks for. */
function firstCallOf(reader: AnswerReader): AnswerReader {
  let called = false;
  const first = (calls: readonly ToolCall[]): readonly ToolCall[] => {
    const kept = called ? [] : calls.slice(0, 1);
    called ||= calls.length > 0;
    return kept;
  };
  return {
    get characterCount() {
      return reader.characterCount;
    },
    push: (id) => {
      const { text, calls } = reader.push(id);
      return { text, calls: first(calls) };
    },
    flush: () => {
      const { text, calls } = reader.flush();
      return { text, calls: first(calls) };
    },
  };
}
