import { type ArgumentsHost, Catch, type ExceptionFilter, MethodNotAllowedException, NotFoundException } from '@nestjs/common';
import { AppError } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { toHttpFailure } from './failure.ts';

/** The one place where a failed request becomes an answer. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const allowed = thrown instanceof NotFoundException ? methodsAt(request) : [];
    const { status, body } = toHttpFailure(allowed.length > 0 ? new MethodNotAllowedException() : thrown);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    // A bug, or a lead's: the client gets a neutral sentence and the log has the cause.
    if (status === 500) this.#log.error({ requestId: request.id, status, error: AppError.from(thrown) }, 'a request failed');
    if (status === 429) reply.header('retry-after', '1');
    void reply.code(status).send(body);
  }
}

/** Methods that the path is served with, when the router knew the path but not the method. */
const methodsAt = ({ server, url }: FastifyRequest): string[] => ['GET', 'POST'].filter((method) => server.hasRoute({ method, url: url.split('?')[0]! }));
