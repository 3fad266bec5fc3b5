import { choice, type Expression, type RuleBook } from '../expression.ts';
import { refusal } from '../refusal.ts';
import { arrayOf, objectOf, type SchemaReader } from './containers.ts';
import { areDisjoint } from './disjoint.ts';
import { type JsonText } from './json-text.ts';
import { isOfType, isSchema, type JsonType, KEYWORDS_OF, refuseKeywords, requireAlone, type Schema, typesOf, WHOLE } from './keywords.ts';
import { integerOf, numberOf, stringOf } from './scalars.ts';

const DEPTH = 100;

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
        return stringOf(schema, where, this.json);
      case 'integer':
        return integerOf(schema, where);
      case 'number':
        return numberOf(schema, where, this.json);
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
}

const ALL_KEYWORDS = new Set(Object.values(KEYWORDS_OF).flat());
const isKeyword = (key: string): boolean => ALL_KEYWORDS.has(key);

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}
