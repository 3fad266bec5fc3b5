import { refusal } from '../refusal.ts';

export type Schema = Readonly<Record<string, unknown>>;
export const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** Keywords that say something of values of one type. */
export const KEYWORDS_OF: Readonly<Record<JsonType, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties'],
};

/** Each says all that its schema says. */
export const WHOLE = ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'] as const;
/** Keywords that change what is valid and that no grammar here can follow, each with its values that change nothing. */
const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  not: [], if: [], then: [], else: [], dependencies: [], dependentRequired: [], dependentSchemas: [], patternProperties: [], propertyNames: [], unevaluatedProperties: [], unevaluatedItems: [],
  additionalItems: [], contains: [], minContains: [], maxContains: [], uniqueItems: [false], multipleOf: [], minProperties: [0], maxProperties: [], nullable: [false], $dynamicRef: [], $recursiveRef: [],
};
const CHECKED = new Set([...WHOLE, 'type', ...Object.values(KEYWORDS_OF).flat()]);

/** Fails with `invalid_argument` for a keyword that would have to be ignored although it matters. What it does not know is, by JSON schema's own rule, a note. */
export function refuseKeywords(schema: Schema, where: string): void {
  for (const [key, value] of Object.entries(schema)) {
    const harmless = Object.hasOwn(REFUSED, key) ? REFUSED[key] : undefined;
    if (harmless !== undefined && !harmless.includes(value)) throw refusal(`the schema has ${key} at ${where}, which is not supported: leave it out`);
  }
}

/** Fails with `invalid_argument` where a keyword has company: what both say together is more than a grammar can. */
export function requireAlone(schema: Schema, keyword: string, { where, besides = [] }: { readonly where: string; readonly besides?: readonly string[] }): void {
  const other = Object.keys(schema).find((key) => key !== keyword && CHECKED.has(key) && !besides.includes(key));
  if (other !== undefined) throw refusal(`the schema has ${other} beside ${keyword} at ${where}, which is not supported: keep one of them`);
}

/** The types that values may have. Where none are named, those that the schema says something of; where that is nothing, null for all. */
export function typesOf(schema: Schema, where: string): readonly JsonType[] | null {
  const { type } = schema;
  if (type === undefined) {
    const meant = JSON_TYPES.filter((each) => each !== 'integer' && KEYWORDS_OF[each].some((key) => schema[key] !== undefined));
    return meant.length === 0 ? null : meant;
  }
  const types = Array.isArray(type) ? (type as unknown[]) : [type];
  const wrong = types.find((each) => !JSON_TYPES.includes(each as JsonType));
  if (types.length === 0 || wrong !== undefined) throw refusal(`the schema has an unknown type at ${where}: use ${JSON_TYPES.join(', ')}`);
  return types as JsonType[];
}

export function isOfType(value: unknown, type: JsonType): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (value === null) return type === 'null';
  return (Array.isArray(value) ? 'array' : typeof value) === type;
}

/** A whole number from 0, or what `fallback` says where it is absent. */
export function countOf(schema: Schema, key: string, { fallback, where }: { readonly fallback: number | null; readonly where: string }): number | null {
  const value = schema[key];
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || (value as number) < 0) throw refusal(`the schema has ${key} at ${where}, which is no whole number from 0: correct it`);
  return value as number;
}

export const isSchema = (value: unknown): value is Schema | boolean => typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
