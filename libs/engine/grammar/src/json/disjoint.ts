import { isOfType, isSchema, type JsonType, type Schema, typesOf } from './keywords.ts';

type Resolve = (schema: unknown) => unknown;

/**
 * Whether no value is valid against two of the schemas: they have different types, or objects of both must have a member in common with
 * different values. `oneOf` is then the same as `anyOf`; where it can't be seen, it may not be.
 */
export function areDisjoint(schemas: readonly unknown[], resolve: Resolve): boolean {
  const resolved = schemas.map(resolve);
  return resolved.every((left, place) => resolved.slice(place + 1).every((right) => isSchema(left) && isSchema(right) && areTwo(left, right, resolve)));
}

function areTwo(left: Schema | boolean, right: Schema | boolean, resolve: Resolve): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') return false;
  const [these, those] = [valuesOf(left), valuesOf(right)];
  if (these !== null && those !== null) return !these.some((value) => those.includes(value));
  const [leftTypes, rightTypes] = [typeSet(left), typeSet(right)];
  if (leftTypes !== null && rightTypes !== null && !leftTypes.some((type) => rightTypes.includes(type))) return true;
  return differInMember(left, right, resolve);
}

/** Objects of both have a member whose values differ, as a discriminator's do. */
function differInMember(left: Schema, right: Schema, resolve: Resolve): boolean {
  const [mine, theirs] = [requiredMembers(left), requiredMembers(right)];
  return Object.keys(mine).some((name) => {
    if (!Object.hasOwn(theirs, name)) return false;
    const [these, those] = [valuesOf(resolve(mine[name])), valuesOf(resolve(theirs[name]))];
    return these !== null && those !== null && !these.some((value) => those.includes(value));
  });
}

function requiredMembers({ type, properties, required }: Schema): Readonly<Record<string, unknown>> {
  if (type !== 'object' || typeof properties !== 'object' || properties === null || !Array.isArray(required)) return {};
  return Object.fromEntries(Object.entries(properties).filter(([name]) => required.includes(name)));
}

/** The JSON texts of all valid values, where they are listed. */
function valuesOf(schema: unknown): string[] | null {
  if (typeof schema !== 'object' || schema === null) return null;
  if ('const' in schema) return [JSON.stringify(schema.const)];
  return 'enum' in schema && Array.isArray(schema.enum) ? schema.enum.map((value) => JSON.stringify(value)) : null;
}

const PRIMITIVES: readonly JsonType[] = ['string', 'number', 'boolean', 'null', 'array', 'object'];

/** Whole numbers are numbers. */
function typeSet(schema: Schema): readonly JsonType[] | null {
  const values = valuesOf(schema);
  if (values !== null) return PRIMITIVES.filter((type) => values.some((value) => isOfType(JSON.parse(value), type)));
  if (schema['$ref'] !== undefined || schema['anyOf'] !== undefined || schema['oneOf'] !== undefined || schema['allOf'] !== undefined) return null;
  return typesOf(schema, 'oneOf')?.map((type) => (type === 'integer' ? 'number' : type)) ?? null;
}
