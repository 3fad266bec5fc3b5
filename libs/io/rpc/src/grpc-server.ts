import { type DescService } from '@bufbuild/protobuf';
import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { AppError } from '@essaim/core';
import { serverOptions, widenServerWindows } from './bridge/channel-options.ts';
import { addService, type CallFailure, type Service } from './bridge/service.ts';

export interface ListenAddress {
  /** IP address or name to bind. */
  readonly host: string;
  /** 0 lets the system choose a free one. */
  readonly port: number;
}

export interface GrpcServerOptions extends ListenAddress {
  readonly credentials: ServerCredentials;
  /** Largest request taken. */
  readonly receiveBytes: number;
  /** Told of each call that failed, with its cause. Default: nobody. */
  readonly onFailure?: ((failure: CallFailure) => void) | undefined;
}

/** Owns one listening port and every call on it. */
export class GrpcServer {
  readonly #server: Server;
  readonly #closing = new AbortController();
  readonly #options: GrpcServerOptions;
  #port = 0;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#server = new Server(serverOptions(options.receiveBytes));
  }

  /** The port that is bound. */
  get port(): number {
    return this.#port;
  }

  /** host:port, as clients write it. */
  get address(): string {
    return hostPort(this.#options.host, this.#port);
  }

  /** Adds a service; before `listen`. */
  add<S extends DescService>(service: Service<S>): this {
    addService(this.#server, service, { closing: this.#closing.signal, onFailure: this.#options.onFailure ?? (() => undefined) });
    return this;
  }

  /** Lets a library add the services that it implements itself. */
  addForeign(register: (server: Server) => void): this {
    register(this.#server);
    return this;
  }

  /** Fails with `failed_precondition` when the port is taken or can't be bound. */
  async listen(): Promise<this> {
    const { host, port, credentials } = this.#options;
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(hostPort(host, port), credentials, (error, bound) => (error ? reject(bindError(error, hostPort(host, port))) : resolve(bound)));
    });
    widenServerWindows(this.#server);
    return this;
  }

  /** Takes nothing new, ends endless streams, lets the other calls finish for `graceMs`, then cancels them. */
  async close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#closing.abort(new AppError('unavailable', `${this.address} is shutting down`));
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}

const hostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

function bindError(cause: Error, address: string): AppError {
  const reason = cause.message.includes('EADDRINUSE')
    ? `port ${address} is taken: stop what listens there or choose another port`
    : `can't listen on ${address}: choose an address of this machine and a port that this user may use`;
  return new AppError('failed_precondition', reason, { cause });
}
