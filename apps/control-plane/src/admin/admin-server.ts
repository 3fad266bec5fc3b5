import 'reflect-metadata';
import { type AddressInfo } from 'node:net';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject } from '@nestjs/swagger';
import { AppError } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';
import { ApiController } from './api.controller.ts';
import { ErrorFilter } from './error-filter.ts';
import { createMetrics } from './metrics.ts';
import { openApiDocument } from './open-api.ts';
import { ProbesController } from './probes.controller.ts';
import { type AdminSubject, METRICS, SUBJECT } from './subject.ts';

export interface AdminOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly logger: Logger;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** No request of this API has a body worth more. */
const BODY_BYTES = 16 << 10;
const REQUEST_MS = 10_000;

/** Answers are data for programs: never a page, a frame or a guess at their type. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

@Module({})
class AdminModule {
  static showing(subject: AdminSubject): DynamicModule {
    return {
      module: AdminModule,
      controllers: [ApiController, ProbesController],
      providers: [{ provide: SUBJECT, useValue: subject }, { provide: METRICS, useValue: createMetrics(subject.cluster) }],
    };
  }
}

/** Serves the admin REST. Fails with `failed_precondition` when the port is taken. */
export async function serveAdmin(subject: AdminSubject, { host, port, logger }: AdminOptions): Promise<AdminServer> {
  const adapter = new FastifyAdapter({ bodyLimit: BODY_BYTES, requestTimeout: REQUEST_MS, forceCloseConnections: true });
  const app = await NestFactory.create<NestFastifyApplication>(AdminModule.showing(subject), adapter, { logger: false, abortOnError: false });
  app.useGlobalFilters(new ErrorFilter(logger));
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', async (_request, reply) => void reply.headers(SECURITY_HEADERS));
  let document: OpenAPIObject | null = null;
  fastify.get('/api/openapi.json', () => (document ??= openApiDocument(app)));
  try {
    await app.listen(port, host);
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, `${host}:${port}`);
  }
  return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() };
}

function listenError(cause: NodeJS.ErrnoException, address: string): AppError {
  const reason = cause.code === 'EADDRINUSE'
    ? `port ${address} is taken: stop what listens there or choose another admin port`
    : `can't listen on ${address} (${cause.code ?? 'unknown error'}): choose an address of this machine and a port that this user may use`;
  return new AppError('failed_precondition', reason, { cause });
}
