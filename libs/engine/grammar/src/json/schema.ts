import { choice, type Expression, repeat, type RuleBook, sequence } from '../expression.ts';
import { parseRegex } from '../regex.ts';
import { refusal } from '../refusal.ts';
import { arrayOf, objectOf, type SchemaReader } from './containers.ts';
import { areDisjoint } from './disjoint.ts';
import { FORMATS } from './formats.ts';
import { type JsonText } from './json-text.ts';
import { countOf, isOfType, isSchema, type JsonType, KEYWORDS_OF, refuseKeywords, requireAlone, type Schema, typesOf, WHOLE } from './keywords.ts';
import { integers, LARGEST, numbers, type Bound } from './numbers.ts';

const DEPTH = 100;
/** Beyond it a fraction of six digits could be rounded to the bound itself. */
const LARGEST_EXCLUSIVE = 1e9;

/**
 * JSON texts that are valid against a schema (of the drafts from 7 to 2020-12, without what only a program could check). Members of objects
 * come in the schema's order; an object that names its properties has no others unless `additionalProperties` says so; every text is
 * valid, though not every valid text is allowed. Fails with `invalid_argument` and a sentence that names the keyword and where it is.
 */
export class JsonSchema implements SchemaReader {
  readonly json: JsonText;
  readonly book: RuleBook;
  readonly #root: unknown;
  readonly #references = new Map<string, Expression>();
  #depth = 0;

  constructor(root: unknown, { json, book }: { readonly json: JsonText; readonly book: RuleBook }) {
    this.#root = root;
    this.json = json;
    this.book = book;
  }

  read(): Expression {
    return this.value(this.#root, '#');
  }

  /** @param where in the schema, as a JSON pointer */
  value(schema: unknown, where: string): Expression {
    if (!isSchema(schema)) throw refusal(`the schema has something at ${where} that is no schema: write an object`);
    if (schema === true) return this.json.value;
    if (schema === false) throw refusal(`the schema allows nothing at ${where}: allow something, or leave it out`);
    if (++this.#depth > DEPTH) throw refusal(`the schema is nested more than ${DEPTH} deep: simplify it`);
    refuseKeywords(schema, where);
    const whole = WHOLE.find((keyword) => schema[keyword] !== undefined);
    const value = whole === undefined ? this.#ofTypes(schema, where) : this.#whole(schema, whole, where);
    this.#depth--;
    return value;
  }

  #whole(schema: Schema, keyword: (typeof WHOLE)[number], where: string): Expression {
    if (keyword === 'const' || keyword === 'enum') return this.#listed(schema, keyword, where);
    requireAlone(schema, keyword, { where });
    if (keyword === '$ref') return this.#reference(schema['$ref'], where);
    const options = schema[keyword];
    if (!Array.isArray(options) || options.length === 0) throw refusal(`the schema has ${keyword} at ${where}, which is no list of schemas: correct it`);
    if (keyword === 'allOf' && options.length > 1) throw refusal(`the schema has allOf with several schemas at ${where}, which is not supported: write them as one`);
    if (keyword === 'oneOf' && !areDisjoint(options, (each) => this.#resolved(each, where))) throw refusal(`the schema has oneOf at ${where} with schemas that may be valid together, which is not supported: use anyOf, or tell them apart by type or by a required property with another const in each`);
    return choice(...options.map((option, place) => this.value(option, `${where}/${keyword}/${place}`)));
  }

  #listed(schema: Schema, keyword: 'const' | 'enum', where: string): Expression {
    requireAlone(schema, keyword, { where, besides: ['type'] });
    const values: unknown = keyword === 'const' ? [schema['const']] : schema['enum'];
    if (!Array.isArray(values)) throw refusal(`the schema has enum at ${where}, which is no list: correct it`);
    const types = schema['type'] === undefined ? null : typesOf(schema, where);
    const valid = values.filter((value: unknown) => types === null || types.some((type) => isOfType(value, type)));
    if (valid.length === 0) throw refusal(`the schema has ${keyword} at ${where}, of which no value is valid: correct it`);
    return choice(...valid.map((value) => this.json.literal(value)));
  }

  /** One rule for all references to a place, which may be inside itself. */
  #reference(pointer: unknown, where: string): Expression {
    const target = this.#at(pointer, where);
    let known = this.#references.get(String(pointer));
    if (known === undefined) {
      const { reference, define } = this.book.reserve(String(pointer));
      this.#references.set(String(pointer), known = reference);
      define(this.value(target, String(pointer)));
    }
    return known;
  }

  #at(pointer: unknown, where: string): unknown {
    if (typeof pointer !== 'string' || !/^#($|\/)/.test(pointer)) throw refusal(`the schema has a $ref at ${where} that leads out of it: use #/$defs/NAME`);
    let target = this.#root;
    for (const step of pointer.split('/').slice(1)) {
      const name = decodeStep(step);
      target = typeof target === 'object' && target !== null && Object.hasOwn(target, name) ? (target as Schema)[name] : undefined;
    }
    if (target === undefined) throw refusal(`the schema has a $ref at ${where} to ${pointer}, which is not there: add it under $defs`);
    return target;
  }

  #resolved(schema: unknown, where: string): unknown {
    return typeof schema === 'object' && schema !== null && '$ref' in schema ? this.#at(schema.$ref, where) : schema;
  }

  #ofTypes(schema: Schema, where: string): Expression {
    const types = typesOf(schema, where);
    if (types === null) return this.json.value;
    const foreign = Object.keys(schema).find((key) => isKeyword(key) && !types.some((type) => KEYWORDS_OF[type].includes(key)));
    if (foreign !== undefined) throw refusal(`the schema has ${foreign} at ${where}, which means nothing for the type ${types.join(', ')}: leave it out, or correct the type`);
    return choice(...types.map((type) => this.#ofType(schema, type, where)));
  }

  #ofType(schema: Schema, type: JsonType, where: string): Expression {
    switch (type) {
      case 'string':
        return this.#string(schema, where);
      case 'integer':
        return this.#integer(schema, where);
      case 'number':
        return this.#number(schema, where);
      case 'boolean':
        return choice(this.json.literal(true), this.json.literal(false));
      case 'null':
        return this.json.literal(null);
      case 'array':
        return arrayOf(schema, where, this);
      case 'object':
        return objectOf(schema, where, this);
    }
  }

  #string(schema: Schema, where: string): Expression {
    const { pattern, format } = schema;
    if (pattern !== undefined) return this.#pattern(schema, where);
    if (format !== undefined) {
      const known = Object.hasOwn(FORMATS, String(format)) ? FORMATS[String(format)] : undefined;
      if (known === undefined) throw refusal(`the schema has an unknown format at ${where}: use ${Object.keys(FORMATS).join(', ')}, or leave it out`);
      if (schema['minLength'] !== undefined || schema['maxLength'] !== undefined) throw refusal(`the schema has a length beside format at ${where}, which is not supported: keep one of them`);
      return this.json.quoted(choice(...parseRegex(known).map(({ body }) => body)));
    }
    const [min, max] = [countOf(schema, 'minLength', { fallback: 0, where })!, countOf(schema, 'maxLength', { fallback: null, where })];
    if (max !== null && max < min) throw refusal(`the schema has a maxLength below its minLength at ${where}: correct it`);
    return min === 0 && max === null ? this.json.string : this.json.quoted(repeat(this.json.character, min, max));
  }

  /** Anywhere in the string, unless ^ and $ say where. */
  #pattern(schema: Schema, where: string): Expression {
    const beside = ['minLength', 'maxLength', 'format'].find((key) => schema[key] !== undefined);
    if (beside !== undefined) throw refusal(`the schema has ${beside} beside pattern at ${where}, which is not supported: say both with the pattern`);
    if (typeof schema['pattern'] !== 'string') throw refusal(`the schema has a pattern at ${where} that is no text: correct it`);
    const anything = repeat(this.json.character, 0);
    const alternatives = parseRegex(schema['pattern'], { write: (set) => this.json.characterOf(set) });
    return this.json.quoted(choice(...alternatives.map(({ body, anchored }) => sequence(...(anchored.start ? [] : [anything]), body, ...(anchored.end ? [] : [anything])))));
  }

  #integer(schema: Schema, where: string): Expression {
    const min = boundOf(schema, 'min', where);
    const max = boundOf(schema, 'max', where);
    const low = min === null ? null : min.isExclusive ? Math.floor(min.value) + 1 : Math.ceil(min.value);
    const high = max === null ? null : max.isExclusive ? Math.ceil(max.value) - 1 : Math.floor(max.value);
    if ((low ?? -LARGEST) > (high ?? LARGEST)) throw refusal(`the schema has bounds at ${where} with no whole number between them: correct them`);
    return integers({ min: low, max: high });
  }

  #number(schema: Schema, where: string): Expression {
    const range = { min: boundOf(schema, 'min', where), max: boundOf(schema, 'max', where) };
    if (range.min === null && range.max === null) return this.json.number;
    for (const bound of [range.min, range.max]) {
      if (bound === null || (Number.isInteger(bound.value) && !(bound.isExclusive && Math.abs(bound.value) > LARGEST_EXCLUSIVE))) continue;
      throw refusal(`the schema has a bound at ${where} that is no whole number, or exclusive and beyond 10^9, which is not supported for the type number: use another one`);
    }
    const found = numbers(range);
    if (found.kind === 'choice' && found.options.length === 0) throw refusal(`the schema has bounds at ${where} with no number between them: correct them`);
    return found;
  }
}

const ALL_KEYWORDS = new Set(Object.values(KEYWORDS_OF).flat());
const isKeyword = (key: string): boolean => ALL_KEYWORDS.has(key);

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

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}
