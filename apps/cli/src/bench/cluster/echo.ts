import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { AppError } from '@essaim/core';
import { type PeerSecurity, serveWorker, type TlsMaterial, type WorkerApi } from '@essaim/rpc';

/** Where the echoes listen, host:port each: raw bytes, and an expert that returns what it is given. */
export interface EchoAddresses {
  readonly tcp: string;
  readonly tls: string;
  readonly insecure: string;
  readonly mutualTls: string;
}

const HOST = '127.0.0.1';

const ECHO_WORKER: WorkerApi = {
  lead: { generate: () => { throw new AppError('unimplemented', 'an echo leads nothing'); } },
  expert: { execute: ({ activations }) => Promise.resolve(activations) },
  epoch: () => 1,
};

/** Listens until its thread ends. */
export async function serveEchoes(material: TlsMaterial): Promise<EchoAddresses> {
  const { caPem: ca, certificatePem: cert, privateKeyPem: key } = material;
  const worker = async (tls: PeerSecurity): Promise<string> => named((await serveWorker(ECHO_WORKER, { host: HOST, port: 0, tls })).port);
  return {
    tcp: await listen(createTcpServer({ noDelay: true }, echo)),
    tls: await listen(createTlsServer({ ca, cert, key, requestCert: true, noDelay: true }, echo)),
    insecure: await worker('insecure-loopback'),
    mutualTls: await worker(material),
  };
}

/** By name, since Node warns of TLS to an address. */
const named = (port: number): string => `localhost:${port}`;

const echo = (socket: Socket): void => void socket.pipe(socket);

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, HOST), 'listening');
  return named((server.address() as AddressInfo).port);
}
