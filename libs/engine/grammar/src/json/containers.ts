import { choice, type Expression, NOTHING, optional, repeat, type RuleBook, sequence, text } from '../expression.ts';
import { refusal } from '../refusal.ts';
import { type JsonText } from './json-text.ts';
import { countOf, isSchema, type Schema } from './keywords.ts';

/** What reads the schemas of items and members. */
export interface SchemaReader {
  readonly json: JsonText;
  readonly book: RuleBook;
  /** @param where in the schema, as a JSON pointer */
  value(schema: unknown, where: string): Expression;
}

/** Arrays that a schema describes. */
export function arrayOf(schema: Schema, where: string, reader: SchemaReader): Expression {
  const { json } = reader;
  const { prefixItems = [], items = true } = schema;
  if (!Array.isArray(prefixItems) || !isSchema(items)) throw refusal(`the schema has items at ${where} that are no schema: write one schema, and those of the first items under prefixItems`);
  const min = countOf(schema, 'minItems', { fallback: 0, where })!;
  const asked = countOf(schema, 'maxItems', { fallback: null, where });
  const max = items === false ? Math.min(prefixItems.length, asked ?? prefixItems.length) : asked;
  if (max !== null && max < min) throw refusal(`the schema allows at most ${max} items at ${where} and asks for ${min}: correct it`);
  const first = prefixItems.slice(0, max ?? prefixItems.length).map((each: unknown, place) => reader.value(each, `${where}/prefixItems/${place}`));
  const further = max !== null && max <= first.length ? null : reader.book.add('item', reader.value(items, `${where}/items`));
  if (first.length === 0) return json.arrayOf(further === null ? NOTHING : json.list(further, { min, max }));
  const rest = further === null ? NOTHING : repeat(sequence(json.comma, further), Math.max(0, min - first.length), max === null ? null : max - first.length);
  const list = first.reduceRight<Expression>((behind, item, place) => {
    const here = sequence(...(place === 0 ? [] : [json.comma]), item, behind);
    return place < min ? here : optional(here);
  }, rest);
  return json.arrayOf(list);
}

interface Member {
  readonly expression: Expression;
  readonly isRequired: boolean;
}

/** Objects that a schema describes. */
export function objectOf(schema: Schema, where: string, reader: SchemaReader): Expression {
  const { json } = reader;
  const { properties = {}, required = [] } = schema;
  if (!isSchema(properties) || typeof properties === 'boolean') throw refusal(`the schema has properties at ${where} that are no object: correct them`);
  if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) throw refusal(`the schema has required at ${where}, which is no list of names: correct it`);
  const others = schema['additionalProperties'] ?? schema['properties'] === undefined;
  if (!isSchema(others)) throw refusal(`the schema has additionalProperties at ${where}, which is no schema: correct it`);
  const unnamed = (required as string[]).filter((name) => !Object.hasOwn(properties, name));
  if (unnamed.length > 0 && others === false) throw refusal(`the schema requires ${JSON.stringify(unnamed[0])} at ${where} and has no such property: add it`);
  const named = [...Object.entries(properties), ...unnamed.map((name) => [name, others] as const)];
  const members = named.flatMap(([name, each]): Member[] => {
    const isRequired = required.includes(name);
    if (each === false && !isRequired) return [];
    const value = reader.value(each, `${where}/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    return [{ expression: reader.book.add(name, json.member(text(JSON.stringify(name)), value)), isRequired }];
  });
  if (others === false) return json.objectOf(membersOf(members, null, reader));
  const key = named.length === 0 ? json.string : json.stringBut(named.map(([name]) => name));
  return json.objectOf(membersOf(members, reader.book.add('further member', json.member(key, reader.value(others, `${where}/additionalProperties`))), reader));
}

/** In their order, each there or not, with commas between those that are: two chains of rules, of which the first has no comma yet. */
function membersOf(members: readonly Member[], further: Expression | null, { json, book }: SchemaReader): Expression {
  const after = (member: Expression): Expression => sequence(json.comma, member);
  let rest = further === null ? NOTHING : repeat(after(further), 0);
  let first = further === null ? NOTHING : optional(sequence(further, rest));
  for (const { expression, isRequired } of members.toReversed()) {
    const [here, behind] = [sequence(expression, rest), first];
    first = book.add('first members', isRequired ? here : choice(here, behind));
    rest = book.add('further members', isRequired ? sequence(after(expression), rest) : choice(sequence(after(expression), rest), rest));
  }
  return first;
}
