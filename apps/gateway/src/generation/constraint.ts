import { z } from 'zod';
import { AppError, type Constraint, LIMITS } from '@essaim/core';
import { GrammarCache } from '@essaim/grammar';

const CHOICES = 1_024;
/** Beyond what any of them may have: the sentence about that comes later. */
const given = z.string().min(1).max(2 * LIMITS.constraintChars);
const schema = z.union([z.looseObject({}), z.boolean()]);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: z.object({ name: z.string().nullish(), schema, strict: z.boolean().nullish() }) }),
]);

const choices = z.array(z.string().min(1)).min(1).max(CHOICES);
const json = z.union([schema, given]);

/** vLLM's newer form of the fields that begin with guided_. */
const structuredOutputs = z.strictObject({ json: json.nullish(), regex: given.nullish(), choice: choices.nullish(), grammar: given.nullish(), json_object: z.boolean().nullish() });

/** Ways to say what an answer must be: OpenAI's, and vLLM's for what that has no word for. */
export const constraintFields = {
  response_format: responseFormat.nullish().describe('an object with the type text, json_object, or json_schema and then a json_schema with a name and a schema'),
  guided_json: json.nullish().describe('a JSON schema, as an object or as its text'),
  guided_regex: given.nullish().describe('a regular expression'),
  guided_choice: choices.nullish().describe(`a list of 1 to ${CHOICES} texts`),
  guided_grammar: given.nullish().describe('a grammar in EBNF with a rule root'),
  structured_outputs: structuredOutputs.nullish().describe('an object with one of json, regex, choice, grammar and json_object'),
} as const;

type ConstraintFields = z.output<z.ZodObject<typeof constraintFields>>;

/** Grammars that clients asked for lately: whether one can be followed does not depend on the model. */
const grammars = new GrammarCache();

/** Fails with `invalid_argument` and a sentence that says what can't be followed. */
export function checkConstraint(constraint: Constraint, param: string): Constraint {
  try {
    grammars.of(constraint);
  } catch (thrown) {
    const error = AppError.from(thrown);
    throw new AppError(error.code, error.message, { cause: error.cause, param });
  }
  return constraint;
}

interface Asked {
  readonly param: string;
  readonly constraint: Constraint;
}

/** Nothing where the answer may be anything. Fails with `invalid_argument` where it can't be followed, or two of them are given. */
export function toConstraint(fields: ConstraintFields): { readonly constraint?: Constraint } {
  const [first, second] = asked(fields);
  if (first === undefined) return {};
  if (second !== undefined) throw new AppError('invalid_argument', `${first.param} and ${second.param} both say what the answer must be: leave one out`, { param: second.param });
  return { constraint: checkConstraint(first.constraint, first.param) };
}

function asked({ response_format: format, structured_outputs: structured, ...guided }: ConstraintFields): Asked[] {
  const given: readonly (readonly [param: string, constraint: Constraint | null])[] = [
    ['response_format', format == null ? null : ofFormat(format)],
    ['guided_json', ofSchema(guided.guided_json)],
    ['guided_regex', ofRegex(guided.guided_regex)],
    ['guided_choice', ofChoice(guided.guided_choice)],
    ['guided_grammar', ofGrammar(guided.guided_grammar)],
    ['structured_outputs.json', ofSchema(structured?.json)],
    ['structured_outputs.regex', ofRegex(structured?.regex)],
    ['structured_outputs.choice', ofChoice(structured?.choice)],
    ['structured_outputs.grammar', ofGrammar(structured?.grammar)],
    ['structured_outputs.json_object', structured?.json_object ? { kind: 'json object' } : null],
  ];
  return given.flatMap(([param, constraint]) => (constraint === null ? [] : [{ param, constraint }]));
}

function ofFormat(format: z.output<typeof responseFormat>): Constraint | null {
  switch (format.type) {
    case 'text':
      return null;
    case 'json_object':
      return { kind: 'json object' };
    case 'json_schema':
      return ofSchema(format.json_schema.schema);
  }
}

const ofSchema = (value: z.output<typeof json> | null | undefined): Constraint | null => (value == null ? null : { kind: 'json schema', schema: typeof value === 'string' ? value : JSON.stringify(value) });
const ofRegex = (pattern: string | null | undefined): Constraint | null => (pattern == null ? null : { kind: 'regex', pattern });
const ofChoice = (texts: readonly string[] | null | undefined): Constraint | null => (texts == null ? null : { kind: 'choice', options: texts.map((text) => ({ kind: 'text', text })) });
const ofGrammar = (ebnf: string | null | undefined): Constraint | null => (ebnf == null ? null : { kind: 'grammar', ebnf });
