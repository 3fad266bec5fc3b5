import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';

/** The map from our codes to HTTP. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  cancelled: 499, unknown: 500, invalid_argument: 400, deadline_exceeded: 504, not_found: 404, already_exists: 409, permission_denied: 403,
  resource_exhausted: 429, failed_precondition: 409, aborted: 409, out_of_range: 400, unimplemented: 501, internal: 500, unavailable: 503,
  data_loss: 500, unauthenticated: 401,
};

/** Every error leaves as `{ error: { code, message } }`; what is unexpected is logged with its cause and leaves without it. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const error = toAppError(thrown, http.getRequest<FastifyRequest>());
    if (HTTP_STATUS[error.code] === 500) this.#logger.error({ error }, 'an admin request failed');
    void http.getResponse<FastifyReply>().status(statusOf(thrown, error)).send({ error: { code: error.code, message: error.message } });
  }
}

/** Nest and Fastify refuse some requests themselves: unknown routes, bodies that are too large or no JSON. */
function toAppError(thrown: unknown, { method, url }: FastifyRequest): AppError {
  const status = foreignStatus(thrown);
  if (status === null) return AppError.from(thrown);
  if (status === 404) return new AppError('not_found', `${method} ${url.split('?', 1)[0]!.slice(0, 200)} is no route of the admin API: see /api/openapi.json`);
  return new AppError('invalid_argument', 'the request is malformed or too large', { cause: thrown });
}

const statusOf = (thrown: unknown, error: AppError): number => foreignStatus(thrown) ?? HTTP_STATUS[error.code];

/** The 4xx status that a library gave an error. */
function foreignStatus(thrown: unknown): number | null {
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
