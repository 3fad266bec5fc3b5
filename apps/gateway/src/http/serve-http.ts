import { type AddressInfo } from 'node:net';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError } from '@essaim/core';
import { createHttpApp } from './create-http-app.ts';
import { type GatewayServices } from './services.ts';

export interface HttpServer {
  /** The port that is bound. */
  readonly port: number;
  /** Takes no new connections, lets responses finish for `graceMs`, then ends them. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

interface ListenOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/** Serves the public HTTP API. Fails with `failed_precondition` when the port is taken. */
export async function serveHttp(services: GatewayServices, { host, port }: ListenOptions): Promise<HttpServer> {
  const app = await createHttpApp(services);
  await listen(app, { host, port });
  const server = app.getHttpServer();
  return {
    port: (server.address() as AddressInfo).port,
    close: async ({ graceMs }) => {
      const force = setTimeout(() => server.closeAllConnections(), graceMs);
      await app.close();
      clearTimeout(force);
    },
  };
}

async function listen(app: NestFastifyApplication, { host, port }: ListenOptions): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? `port ${host}:${port} is taken: stop what listens there or choose another port`
      : `can't listen on ${host}:${port}: choose an address of this machine and a port that this user may use`;
    throw new AppError('failed_precondition', reason, { cause });
  }
}
