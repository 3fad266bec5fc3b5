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

/** Ways to say what an answer must be: OpenAI's, and vLLM's for what that has no word for. */
export const constraintFields = {
  response_format: responseFormat.nullish().describe('an object with the type text, json_object, or json_schema and then a json_schema with a name and a schema'),
  guided_json: z.union([schema, given]).nullish().describe('a JSON schema, as an object or as its text'),
  guided_regex: given.nullish().describe('a regular expression'),
  guided_choice: z.array(z.string().min(1)).min(1).max(CHOICES).nullish().describe(`a list of 1 to ${CHOICES} texts`),
  guided_grammar: given.nullish().describe('a grammar in EBNF with a rule root'),
} as const;

type ConstraintFields = z.output<z.ZodObject<typeof constraintFields>>;
type Field = keyof ConstraintFields;

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

/** Nothing where the answer may be anything. Fails with `invalid_argument` where it can't be followed, or two of them are given. */
export function toConstraint(fields: ConstraintFields): { readonly constraint?: Constraint } {
  const asked = (Object.keys(constraintFields) as Field[]).flatMap((param) => {
    const constraint = constraintOf(fields, param);
    return constraint === null ? [] : [{ param, constraint }];
  });
  const [first, second] = asked;
  if (first === undefined) return {};
  if (second !== undefined) throw new AppError('invalid_argument', `${first.param} and ${second.param} both say what the answer must be: leave one out`, { param: second.param });
  return { constraint: checkConstraint(first.constraint, first.param) };
}

function constraintOf(fields: ConstraintFields, param: Field): Constraint | null {
  if (fields[param] == null) return null;
  switch (param) {
    case 'response_format':
      return ofFormat(fields.response_format!);
    case 'guided_json':
      return { kind: 'json schema', schema: typeof fields.guided_json === 'string' ? fields.guided_json : JSON.stringify(fields.guided_json) };
    case 'guided_regex':
      return { kind: 'regex', pattern: fields.guided_regex! };
    case 'guided_choice':
      return { kind: 'choice', options: fields.guided_choice!.map((text) => ({ kind: 'text', text })) };
    case 'guided_grammar':
      return { kind: 'grammar', ebnf: fields.guided_grammar! };
  }
}

function ofFormat(format: z.output<typeof responseFormat>): Constraint | null {
  switch (format.type) {
    case 'text':
      return null;
    case 'json_object':
      return { kind: 'json object' };
    case 'json_schema':
      return { kind: 'json schema', schema: JSON.stringify(format.json_schema.schema) };
  }
}
