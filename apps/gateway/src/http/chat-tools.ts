import { z } from 'zod';
import { AppError, type Constraint } from '@essaim/core';
import { type AnswerReader, type ChatTemplate, type ToolCall, toolCallId, type ToolDefinition } from '@essaim/tokenizer';
import { checkConstraint } from '../generation/constraint.ts';

const TOOLS = 128;
/** Calls of an answer that is made to call. */
const CALLS = 16;

const tool = z.object({
  type: z.literal('function'),
  function: z.object({ name: z.string(), description: z.string().nullish(), parameters: z.looseObject({}).nullish() }),
}).transform(({ function: { name, description, parameters } }): ToolDefinition => ({ name, description: description ?? '', parameters: parameters ?? { type: 'object', properties: {} } }));

/** `any` is Mistral's word for OpenAI's `required`. */
const toolChoice = z.union([z.enum(['none', 'auto', 'required', 'any']), z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) })]);

export const toolFields = {
  tools: z.array(tool).max(TOOLS).nullish().describe(`a list of at most ${TOOLS} functions, each with a name, a description and the JSON schema of its parameters`),
  tool_choice: toolChoice.nullish().describe('none, auto, required, or an object with the type function and the name of one of the tools'),
  parallel_tool_calls: z.boolean().nullish().describe('true or false'),
  reasoning_effort: z.string().max(32).nullish().describe('one of the model\'s own words for how much to think'),
} as const;

type ToolFields = z.output<z.ZodObject<typeof toolFields>>;

/** What the model is told of: nothing where it may not call. */
export const toTools = ({ tools, tool_choice: choice }: ToolFields): readonly ToolDefinition[] => (choice === 'none' ? [] : (tools ?? []));

/**
 * What the answer must be for the sake of tools. One that must call is nothing but calls, with arguments that are valid against the schemas
 * of the tools; one that may call and otherwise must be `format` is one of both. Fails with `invalid_argument` where there is nothing to
 * call, a schema can't be followed, or the answer must be something else.
 */
export function constrainCalls(fields: ToolFields, { onlyCalls }: ChatTemplate, format: { readonly constraint?: Constraint }): { readonly constraint?: Constraint } {
  const { tool_choice: choice, parallel_tool_calls: parallel } = fields;
  const tools = toTools(fields);
  const isForced = choice != null && choice !== 'none' && choice !== 'auto';
  if (isForced && tools.length === 0) throw wrongChoice('asks for a call and there are no tools: add tools, or leave it out');
  if (tools.length === 0 || onlyCalls === null) return format;
  const most = parallel === false || typeof choice === 'object' ? 1 : CALLS;
  if (!isForced) return format.constraint === undefined ? {} : { constraint: { kind: 'choice', options: [format.constraint, onlyCalls(tools.map(withAnyArguments), { most })] } };
  if (format.constraint !== undefined) throw wrongChoice('asks for a call and another field for an answer of another form: leave one of them out');
  const chosen = typeof choice === 'object' && choice !== null ? tools.filter(({ name }) => name === choice.function.name) : tools;
  if (chosen.length === 0) throw wrongChoice('names a function that is not among the tools: use the name of one of them');
  return { constraint: checkConstraint(onlyCalls(chosen, { most }), 'tools') };
}

const wrongChoice = (what: string): AppError => new AppError('invalid_argument', `tool_choice ${what}`, { param: 'tool_choice' });

/** A model that calls of its own accord is not held to a schema. */
const withAnyArguments = (each: ToolDefinition): ToolDefinition => ({ ...each, parameters: { type: 'object' } });

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
