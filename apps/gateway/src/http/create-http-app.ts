import 'reflect-metadata';
import { type Socket } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AppError, LIMITS } from '@essaim/core';
import { ErrorFilter } from './error.filter.ts';
import { toHttpFailure } from './failure.ts';
import { GatewayModule } from './gateway.module.ts';
import { parseJsonBody } from './json-body.ts';
import { headerRequestId, requestIdOf } from '../request-id.ts';
import { type GatewayServices } from './services.ts';

/** Sockets at once: as many answers as may be under way, with room for probes and for clients that are told to wait. */
const CONNECTIONS = 4_096;
/** From the first byte of a request to its last. */
const RECEIVE_MS = 30_000;
/** A socket on which nothing moved for longer than any answer may take belongs to a client that is gone or reads nothing. */
const SILENCE_MS = LIMITS.generationMs + 60_000;
/** nginx's status for a client that closed the connection before the answer was complete. */
const LEFT = 499;

/** The public HTTP API, not listening yet. */
export async function createHttpApp(services: GatewayServices): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: LIMITS.requestBodyBytes,
    connectionTimeout: SILENCE_MS,
    requestTimeout: RECEIVE_MS,
    requestIdHeader: false,
    genReqId: headerRequestId,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => void reply.header('x-request-id', request.id).code(400).send(toHttpFailure(error).body),
    clientErrorHandler: (_error: Error, socket: Socket) => void socket.end(badHttp(requestIdOf(null))),
  });
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(services), adapter, { logger: false, abortOnError: false, bodyParser: false });
  app.useGlobalFilters(new ErrorFilter(services.log));
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  fastify.server.maxConnections = CONNECTIONS;
  parseBodies(fastify);
  observe(fastify, services);
  return app;
}

/** What Node's HTTP parser could not read has no request to answer. */
function badHttp(requestId: string): string {
  const body = JSON.stringify(toHttpFailure({ statusCode: 400 }).body);
  return `HTTP/1.1 400 Bad Request\r\nconnection: close\r\nx-request-id: ${requestId}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function parseBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseJsonBody(text as string));
    } catch (thrown) {
      done(AppError.from(thrown));
    }
  });
}

/** A response that its client did not wait for closes too, which no hook of Fastify's tells. */
function observe(fastify: FastifyInstance, { metrics, log }: GatewayServices): void {
  fastify.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('x-request-id', request.id);
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? 'unknown';
      const status = reply.raw.writableFinished ? reply.statusCode : LEFT;
      metrics.requests.inc({ route, status });
      log.debug({ requestId: request.id, method: request.method, route, status, durationMs: Math.round(reply.elapsedTime) }, 'answered');
    });
  });
}
