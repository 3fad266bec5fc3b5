import { stdSerializers } from 'pino';

/** Fields that are a secret or somebody's text, in whatever case they are written. */
export const SECRET_FIELDS = ['apiKey', 'authorization', 'generatedIds', 'key', 'messages', 'privateKeyPem', 'prompt', 'promptIds', 'text'];
export const CENSORED = '[redacted]';

const SECRETS = new Set(SECRET_FIELDS.map((name) => name.toLowerCase()));
/** Also what ends a walk through objects that hold each other. */
const MAX_DEPTH = 8;

/** A copy in which no field of a secret name has its value, however deep, and each error is a plain object with its stack and causes. */
export function withoutSecrets(fields: object): Record<string, unknown> {
  return walkFields(fields, MAX_DEPTH);
}

function walkFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, walkField(name, value, depth)]));
}

function walkField(name: string, value: unknown, depth: number): unknown {
  return value !== undefined && SECRETS.has(name.toLowerCase()) ? CENSORED : walk(value, depth);
}

function walk(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '[too deep]';
  if (value instanceof Error) return walkFields(stdSerializers.err(value), depth - 1);
  if (Array.isArray(value)) return value.map((item) => walk(item, depth - 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return walk(value.toJSON(), depth - 1);
  return walkFields(value, depth - 1);
}
