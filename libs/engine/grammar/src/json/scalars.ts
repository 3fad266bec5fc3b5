import { choice, type Expression, repeat, sequence } from '../expression.ts';
import { parseRegex } from '../regex.ts';
import { refusal } from '../refusal.ts';
import { type Bound, decimals, PLACES } from './decimals.ts';
import { FORMATS } from './formats.ts';
import { integers, LARGEST } from './integers.ts';
import { type JsonText } from './json-text.ts';
import { countOf, type Schema } from './keywords.ts';

/** Beyond it a fraction could be rounded to the bound itself. */
const LARGEST_EXACT = 1e9;

/** Strings that a schema describes. */
export function stringOf(schema: Schema, where: string, json: JsonText): Expression {
  const { pattern, format } = schema;
  if (pattern !== undefined) return patternOf(schema, where, json);
  if (format !== undefined) {
    const known = Object.hasOwn(FORMATS, String(format)) ? FORMATS[String(format)] : undefined;
    if (known === undefined) throw refusal(`the schema has an unknown format at ${where}: use ${Object.keys(FORMATS).join(', ')}, or leave it out`);
    if (schema['minLength'] !== undefined || schema['maxLength'] !== undefined) throw refusal(`the schema has a length beside format at ${where}, which is not supported: keep one of them`);
    return json.quoted(choice(...parseRegex(known).map(({ body }) => body)));
  }
  const [min, max] = [countOf(schema, 'minLength', { fallback: 0, where })!, countOf(schema, 'maxLength', { fallback: null, where })];
  if (max !== null && max < min) throw refusal(`the schema has a maxLength below its minLength at ${where}: correct it`);
  return min === 0 && max === null ? json.string : json.quoted(repeat(json.character, min, max));
}

/** Anywhere in the string, unless ^ and $ say where. */
function patternOf(schema: Schema, where: string, json: JsonText): Expression {
  const beside = ['minLength', 'maxLength', 'format'].find((key) => schema[key] !== undefined);
  if (beside !== undefined) throw refusal(`the schema has ${beside} beside pattern at ${where}, which is not supported: say both with the pattern`);
  if (typeof schema['pattern'] !== 'string') throw refusal(`the schema has a pattern at ${where} that is no text: correct it`);
  const anything = repeat(json.character, 0);
  const alternatives = parseRegex(schema['pattern'], { write: (set) => json.characterOf(set) });
  return json.quoted(choice(...alternatives.map(({ body, anchored }) => sequence(...(anchored.start ? [] : [anything]), body, ...(anchored.end ? [] : [anything])))));
}

/** Whole numbers that a schema describes. */
export function integerOf(schema: Schema, where: string): Expression {
  const min = boundOf(schema, 'min', where);
  const max = boundOf(schema, 'max', where);
  const low = min === null ? null : min.isExclusive ? Math.floor(min.value) + 1 : Math.ceil(min.value);
  const high = max === null ? null : max.isExclusive ? Math.ceil(max.value) - 1 : Math.floor(max.value);
  if ((low ?? -LARGEST) > (high ?? LARGEST)) throw refusal(`the schema has bounds at ${where} with no whole number between them: correct them`);
  return integers({ min: low, max: high });
}

/** Numbers that a schema describes. */
export function numberOf(schema: Schema, where: string, json: JsonText): Expression {
  const range = { min: boundOf(schema, 'min', where), max: boundOf(schema, 'max', where) };
  if (range.min === null && range.max === null) return json.number;
  for (const bound of [range.min, range.max]) {
    if (bound === null || isExact(bound)) continue;
    throw refusal(`the schema has a bound at ${where} that has more than ${PLACES} digits behind the point, or has some or is exclusive beyond 10^9, which is not supported for the type number: use another one`);
  }
  const found = decimals(range);
  if (found.kind === 'choice' && found.options.length === 0) throw refusal(`the schema has bounds at ${where} with no number between them: correct them`);
  return found;
}

const isExact = ({ value, isExclusive }: Bound): boolean => (Math.abs(value) <= LARGEST_EXACT ? Number(value.toFixed(PLACES)) === value : Number.isInteger(value) && !isExclusive);

/** The stricter of both keywords. */
function boundOf(schema: Schema, which: 'min' | 'max', where: string): Bound | null {
  const [inclusive, exclusive] = which === 'min' ? ['minimum', 'exclusiveMinimum'] as const : ['maximum', 'exclusiveMaximum'] as const;
  const bounds = [inclusive, exclusive].flatMap((key): Bound[] => {
    const value = schema[key];
    if (value === undefined) return [];
    if (typeof value !== 'number' || Math.abs(value) > LARGEST) throw refusal(`the schema has ${key} at ${where}, which is no number within 15 digits: correct it`);
    return [{ value, isExclusive: key === exclusive }];
  });
  const stricter = (left: Bound, right: Bound): Bound => ((which === 'min' ? left.value > right.value : left.value < right.value) ? left : right);
  return bounds.length === 0 ? null : bounds.reduce(stricter);
}
