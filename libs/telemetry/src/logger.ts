import { type Writable } from 'node:stream';
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type { Logger };

export interface LoggerOptions {
  /** Which part of the cluster speaks: 'gateway', 'worker w1'. */
  readonly component: string;
  readonly level: LogLevel;
  /** Default: stderr, so that stdout stays free for answers. */
  readonly output?: Writable;
}

/** What must never be in a log, at the top or one level down: it is a secret or somebody's text. */
const SECRET_FIELDS = ['authorization', 'prompt', 'text', 'messages', 'apiKey', 'key', 'privateKeyPem'];

/** One JSON object per line: level, time (ISO 8601), component, message, fields. `error` is logged with its cause and stack: logs stay inside. */
export function createLogger({ component, level, output }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { component },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      errorKey: 'error',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    output ?? destination({ dest: 2, sync: true }),
  );
}
