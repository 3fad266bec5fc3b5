/** The closed list of error codes: gRPC's own, lower-cased. Everything that goes wrong is one of these. */
export const ERROR_CODES = [
  'cancelled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found', 'already_exists', 'permission_denied',
  'resource_exhausted', 'failed_precondition', 'aborted', 'out_of_range', 'unimplemented', 'internal', 'unavailable',
  'data_loss', 'unauthenticated',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Name of the input that was wrong, for maps outward that can carry it (OpenAI's `param`). */
  readonly param?: string;
}

/**
 * An operating error: something outside the program went wrong and a person can act on it.
 * `message` is one clear sentence that says what, where and what to do. It never holds a prompt, a key or a stack.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly param: string | undefined;

  constructor(code: ErrorCode, reason: string, options: AppErrorOptions = {}) {
    super(reason, { cause: options.cause });
    this.code = code;
    this.param = options.param;
  }

  /** Any thrown thing as an AppError. Aborts become `cancelled`; what nobody classified becomes `internal`, its text kept as cause only. */
  static from(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return thrown.cause instanceof AppError ? thrown.cause : new AppError('cancelled', 'the request was cancelled', { cause: thrown });
    }
    if (thrown instanceof Error && thrown.name === 'TimeoutError') return new AppError('deadline_exceeded', 'the deadline passed', { cause: thrown });
    return new AppError('internal', 'an internal error occurred', { cause: thrown });
  }

  /** What another thread reported. */
  static reported({ code, message, detail }: ErrorReport): AppError {
    return new AppError(code, message, { cause: new Error(detail) });
  }

  /** In a form that another thread can be sent. */
  report(): ErrorReport {
    return { code: this.code, message: this.message, detail: String(this.cause instanceof Error ? this.cause.stack : this.stack) };
  }
}

/** An AppError on its way between threads. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  /** For the log: where it happened. */
  readonly detail: string;
}

/** A bug, not an operating error: assertions stay on. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Compile-time check that a switch over a union is complete. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unreachable value ${JSON.stringify(value)}`);
}
