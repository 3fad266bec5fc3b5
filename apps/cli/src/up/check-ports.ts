import { createServer } from 'node:net';
import { once } from 'node:events';
import { AppError } from '@essaim/core';
import { type Ports } from './options.ts';

/** Refuses early where another program listens already. The processes still report it themselves if one gets in between. */
export async function checkPorts(host: string, ports: Ports): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (port !== 0) await checkPort(host, { port, flag: `--${name}-port` });
  }
}

async function checkPort(host: string, { port, flag }: { port: number; flag: string }): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (cause) {
    throw new AppError('unavailable', `${sentence((cause as NodeJS.ErrnoException).code, `${host}:${port}`)}: give ${flag} another port or stop what listens there`, { cause });
  } finally {
    server.close();
  }
}

function sentence(code: string | undefined, address: string): string {
  if (code === 'EADDRINUSE') return `port ${address} is taken`;
  return `${address} can't be listened on (${code ?? 'unknown error'})`;
}
