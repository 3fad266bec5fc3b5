import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AppError } from '@essaim/core';
import { type ExpertBatch } from '@essaim/dispatch';
import { ACTIVATION_DTYPES, type ActivationDtype, connectWorker, type PeerSecurity, type TlsMaterial } from '@essaim/rpc';
import { type EchoAddresses } from './echo.ts';
import { type LineName } from './workload.ts';

/** One open way to the echo. */
export interface Line {
  readonly name: LineName;
  /** Sends the batch's activations; resolves when all of them are back. */
  exchange(batch: ExpertBatch, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** In the order of LINES. */
export async function openLines(addresses: EchoAddresses, tls: TlsMaterial): Promise<Line[]> {
  const { caPem: ca, certificatePem: cert, privateKeyPem: key } = tls;
  const secured = ACTIVATION_DTYPES.map((dtype) => worker(`mutual-tls-${dtype}`, { address: addresses.mutualTls, tls, dtype }));
  return [
    raw('tcp', await opened(connectTcp({ ...endpoint(addresses.tcp), noDelay: true }), 'connect')),
    raw('tls', await opened(connectTls({ ...endpoint(addresses.tls), ca, cert, key }).setNoDelay(true), 'secureConnect')),
    worker('insecure-f32', { address: addresses.insecure, tls: 'insecure-loopback', dtype: 'f32' }),
    ...secured,
  ];
}

function worker(name: LineName, { address, tls, dtype }: { readonly address: string; readonly tls: PeerSecurity; readonly dtype: ActivationDtype }): Line {
  const connection = connectWorker(address, { tls, wireDtype: dtype });
  return { name, exchange: async (batch, signal) => void (await connection.execute(batch, signal)), close: () => connection.close() };
}

/** The bytes alone, without any protocol. */
function raw(name: LineName, socket: Socket): Line {
  return {
    name,
    exchange: ({ activations: { buffer, byteOffset, byteLength } }) => new Promise((resolve, reject) => {
      let missing = byteLength;
      const lost = (): void => reject(new AppError('unavailable', `the ${name} echo closed its connection`));
      const onData = (chunk: Buffer): void => {
        missing -= chunk.byteLength;
        if (missing > 0) return;
        socket.off('data', onData).off('close', lost);
        resolve();
      };
      socket.on('data', onData).once('close', lost);
      socket.write(new Uint8Array(buffer, byteOffset, byteLength));
    }),
    close: () => socket.destroy(),
  };
}

async function opened<S extends Socket>(socket: S, event: string): Promise<S> {
  await once(socket, event);
  return socket;
}

function endpoint(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}
