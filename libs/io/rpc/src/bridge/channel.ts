import {
  create, type DescMessage, type DescMethodBiDiStreaming, type DescMethodServerStreaming, type DescMethodUnary, type MessageInitShape, type MessageShape,
} from '@bufbuild/protobuf';
import { type CallOptions, type ChannelCredentials, Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AppError } from '@essaim/core';
import { CLIENT_OPTIONS } from './channel-options.ts';
import { type FrameCodec, methodDefinition } from './service-definition.ts';
import { abortedError, ConnectionLost, fromStatus } from './status.ts';

export interface OutgoingCall {
  readonly signal: AbortSignal;
  /** Milliseconds from now; absent only for streams that live as long as their connection. */
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One connection to one address, made when first used and again when lost. Calls while it is down, or closed, fail at once with `unavailable`. */
export class Channel {
  readonly address: string;
  readonly #client: Client;
  #closed = false;

  constructor(address: string, credentials: ChannelCredentials) {
    this.address = address;
    this.#client = new Client(address, credentials, CLIENT_OPTIONS);
  }

  unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>, request: MessageInitShape<I>, call: OutgoingCall & { readonly timeoutMs: number }): Promise<MessageShape<O>> {
    const { path, requestSerialize, responseDeserialize } = methodDefinition<I, O>(method);
    return new Promise((resolve, reject) => {
      this.#requireOpen();
      if (call.signal.aborted) throw abortedError(call.signal);
      const settled = (error: ServiceError | null, response?: MessageShape<O>): void => {
        call.signal.removeEventListener('abort', cancel);
        if (error === null) resolve(response!);
        else reject(this.#failure(error, { method: method.name, signal: call.signal }));
      };
      const running = this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, create(method.input, request), toMetadata(call), toOptions(call), settled);
      const cancel = (): void => running.cancel();
      call.signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Reads no faster than the caller does. Leaving the loop, or the signal, cancels the call. */
  async *serverStream<I extends DescMessage, O extends DescMessage>(method: DescMethodServerStreaming<I, O>, request: MessageInitShape<I>, call: OutgoingCall): AsyncGenerator<MessageShape<O>, void, undefined> {
    this.#requireOpen();
    if (call.signal.aborted) throw abortedError(call.signal);
    const { path, requestSerialize, responseDeserialize } = methodDefinition<I, O>(method);
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, create(method.input, request), toMetadata(call), toOptions(call));
    // The loop below reports errors; one that comes after it must not end the process.
    stream.on('error', () => undefined);
    const cancel = (): void => stream.cancel();
    call.signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const response of stream) yield response as MessageShape<O>;
    } catch (thrown) {
      throw this.#failure(thrown, { method: method.name, signal: call.signal });
    } finally {
      call.signal.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  /** The raw stream, for a caller that multiplexes: its errors are ServiceErrors, see `failure`. */
  duplex<In, Out>(method: DescMethodBiDiStreaming, { decode, encode }: FrameCodec<In, Out>): ClientDuplexStream<Out, In> {
    this.#requireOpen();
    return this.#client.makeBidiStreamRequest(methodDefinition(method).path, encode, decode, new Metadata());
  }

  /** What a stream's error means to its caller. */
  failure(error: ServiceError, method: string): AppError {
    return fromStatus(error, { address: this.address, method });
  }

  /** Ends the connection. Calls under way fail. */
  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new ConnectionLost('unavailable', `the connection to ${this.address} is closed`);
  }

  #failure(thrown: unknown, { method, signal }: { method: string; signal: AbortSignal }): AppError {
    if (signal.aborted) return abortedError(signal);
    return isServiceError(thrown) ? this.failure(thrown, method) : AppError.from(thrown);
  }
}

const isServiceError = (thrown: unknown): thrown is ServiceError => thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number';

const toOptions = ({ timeoutMs }: OutgoingCall): CallOptions => (timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs });

function toMetadata({ metadata = {} }: OutgoingCall): Metadata {
  const result = new Metadata();
  for (const [key, value] of Object.entries(metadata)) result.set(key, value);
  return result;
}
