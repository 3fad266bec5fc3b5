import { type Writable } from 'node:stream';
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { CENSORED, SECRET_FIELDS, withoutSecrets } from './without-secrets.ts';

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

/**
 * One JSON object per line: level, time (ISO 8601), component, message, fields. Secrets and people's text are censored by the name of
 * their field at any depth (at the top, of what a child logger is bound to); the message itself is not. `error` is logged with its causes and stacks: logs stay inside.
 */
export function createLogger({ component, level, output }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { component },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      errorKey: 'error',
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      // Errors are plain objects by then.
      serializers: { err: (error: unknown) => error },
      // The fields that a child logger is bound to pass no formatter.
      redact: { paths: SECRET_FIELDS, censor: CENSORED },
    },
    output ?? destination({ dest: 2, sync: true }),
  );
}
