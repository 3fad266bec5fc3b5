import { isIPv6 } from 'node:net';

/* A validator of what the specs' schemas say, written from the standard and not from the code under test. */

type Schema = Readonly<Record<string, unknown>>;

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text),
  'date-time': (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  email: (text) => /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text),
  ipv4: (text) => /^\d+(\.\d+){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255 && String(Number(part)) === part),
  time: (text) => /^\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(`2000-01-01T${text}`)),
  duration: (text) => /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$/.test(text),
  hostname: (text) => text.length <= 253 && text.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)),
  ipv6: isIPv6,
  uri: (text) => URL.canParse(text),
};

export function isValid(value: unknown, schema: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const { $ref, anyOf, oneOf, allOf, const: constant, enum: listed, type, ...rest } = schema as Schema;
  const every = (checks: readonly boolean[]): boolean => checks.every(Boolean);
  const same = (other: unknown): boolean => JSON.stringify(other) === JSON.stringify(value);
  return every([
    typeof $ref !== 'string' || isValid(value, at(root, $ref), root),
    anyOf === undefined || (anyOf as unknown[]).some((each) => isValid(value, each, root)),
    oneOf === undefined || (oneOf as unknown[]).filter((each) => isValid(value, each, root)).length === 1,
    allOf === undefined || (allOf as unknown[]).every((each) => isValid(value, each, root)),
    constant === undefined || same(constant),
    listed === undefined || (listed as unknown[]).some(same),
    type === undefined || [type].flat().some((each) => isOfType(value, each)),
    typeof value !== 'string' || isValidText(value, rest),
    typeof value !== 'number' || isValidNumber(value, rest),
    !Array.isArray(value) || isValidArray(value, rest, root),
    typeof value !== 'object' || value === null || Array.isArray(value) || isValidObject(value as Schema, rest, root),
  ]);
}

const at = (root: unknown, pointer: string): unknown => pointer.split('/').slice(1).reduce((target, step) => (target as Schema)[step], root);

function isOfType(value: unknown, type: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

function isValidText(value: string, { minLength, maxLength, pattern, format }: Schema): boolean {
  const length = Array.from(value).length;
  if (length < ((minLength as number | undefined) ?? 0) || length > ((maxLength as number | undefined) ?? Infinity) || !value.isWellFormed()) return false;
  return (pattern === undefined || new RegExp(pattern as string, 'u').test(value)) && (format === undefined || FORMATS[format as string]!(value));
}

function isValidNumber(value: number, { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity }: Readonly<Record<string, unknown>>): boolean {
  return value >= (minimum as number) && value <= (maximum as number) && value > (exclusiveMinimum as number) && value < (exclusiveMaximum as number);
}

function isValidArray(value: readonly unknown[], { items, prefixItems = [], minItems = 0, maxItems = Infinity }: Schema, root: unknown): boolean {
  const prefix = prefixItems as readonly unknown[];
  return value.length >= (minItems as number) && value.length <= (maxItems as number) && value.every((each, place) => isValid(each, prefix[place] ?? items ?? true, root));
}

function isValidObject(value: Schema, { properties = {}, required = [], additionalProperties = true }: Schema, root: unknown): boolean {
  const named = properties as Schema;
  return (required as string[]).every((name) => Object.hasOwn(value, name)) && Object.entries(value).every(([name, each]) => isValid(each, Object.hasOwn(named, name) ? named[name] : additionalProperties, root));
}
