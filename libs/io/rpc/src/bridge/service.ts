import {
  create, type DescMessage, type DescMethod, type DescMethodBiDiStreaming, type DescMethodServerStreaming, type DescMethodUnary,
  type DescService, type MessageInitShape, type MessageShape,
} from '@bufbuild/protobuf';
import {
  type sendUnaryData, type Server, type ServerDuplexStream, type ServerUnaryCall, type ServerWritableStream, type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { AppError } from '@essaim/core';
import { type ClusterRole } from '@essaim/auth/identity';
import { type CallContext } from './call-context.ts';
import { type DuplexHandler, duplexOf } from './duplex.ts';
import { peerIdentity, type PeerSecurity } from './security.ts';
import { serviceDefinition } from './service-definition.ts';
import { toStatus } from './status.ts';
import { writeTo } from './write.ts';

type Handler<M> =
  M extends DescMethodUnary<infer I, infer O> ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
  : M extends DescMethodServerStreaming<infer I, infer O> ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
  : M extends DescMethodBiDiStreaming ? DuplexHandler
  : never;

/** A method without an entry does not compile. */
export type Handlers<S extends DescService> = { readonly [K in keyof S['method']]: Handler<S['method'][K]> };

/** Who may call each method: these roles, or anyone who can connect. */
export type Access<S extends DescService> = { readonly [K in keyof S['method']]: readonly ClusterRole[] | 'anyone' };

/** A failed call, for the log: with the cause that callers never see. */
export interface CallFailure {
  readonly method: string;
  readonly error: AppError;
}

export interface Service<S extends DescService> {
  readonly descriptor: S;
  readonly handlers: Handlers<S>;
  readonly access: Access<S>;
}

export interface ServiceEnvironment {
  readonly closing: AbortSignal;
  readonly onFailure: (failure: CallFailure) => void;
}

/** What every kind of call has in common in grpc-js. */
type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getAuthContext'> & { on(event: 'cancelled', listener: () => void): unknown };
type AnyMessage = MessageShape<DescMessage>;
type Callback = sendUnaryData<AnyMessage>;
type UnaryHandler = Handler<DescMethodUnary>;
type StreamHandler = Handler<DescMethodServerStreaming>;

interface Route {
  readonly method: DescMethod;
  readonly allowed: readonly ClusterRole[] | 'anyone';
  readonly environment: ServiceEnvironment;
}

/** Registers a service. Every call passes its access rule before its handler sees it. */
export function addService<S extends DescService>(server: Server, service: Service<S>, environment: ServiceEnvironment): void {
  const handlers = service.handlers as Readonly<Record<string, unknown>>;
  const access = service.access as Readonly<Record<string, Route['allowed']>>;
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.descriptor.methods) {
    const route: Route = { method, allowed: access[method.localName] ?? [], environment };
    implementation[method.localName] = bind(route, handlers[method.localName]);
  }
  server.addService(serviceDefinition(service.descriptor, (method) => (handlers[method.localName] as DuplexHandler).codec), implementation);
}

function bind(route: Route, handler: unknown): UntypedServiceImplementation[string] {
  switch (route.method.methodKind) {
    case 'unary':
      return (call: ServerUnaryCall<AnyMessage, AnyMessage>, callback: Callback) => void answer(route, handler as UnaryHandler, { call, callback });
    case 'server_streaming':
      return (call: ServerWritableStream<AnyMessage, AnyMessage>) => void answerStream(route, handler as StreamHandler, call);
    case 'bidi_streaming':
      return (call: ServerDuplexStream<unknown, never>) => void answerDuplex(route, handler as DuplexHandler, call);
    case 'client_streaming':
      throw new Error(`assertion failed: ${route.method.name} streams requests only, which no method here does`);
  }
}

async function answer(route: Route, handler: UnaryHandler, { call, callback }: { call: ServerUnaryCall<AnyMessage, AnyMessage>; callback: Callback }): Promise<void> {
  try {
    callback(null, create(route.method.output, await handler(call.request, admit(route, call))));
  } catch (thrown) {
    callback(failed(route, thrown));
  }
}

async function answerStream(route: Route, handler: StreamHandler, call: ServerWritableStream<AnyMessage, AnyMessage>): Promise<void> {
  try {
    const context = admit(route, call);
    for await (const response of handler(call.request, context)) await writeTo(call, create(route.method.output, response), context.signal);
    call.end();
  } catch (thrown) {
    call.emit('error', failed(route, thrown));
  }
}

async function answerDuplex(route: Route, handler: DuplexHandler, call: ServerDuplexStream<unknown, never>): Promise<void> {
  try {
    const context = admit(route, call);
    await handler.answer(duplexOf(call, context.signal), context);
    call.end();
  } catch (thrown) {
    call.emit('error', failed(route, thrown));
  }
}

function failed({ method, environment }: Route, thrown: unknown): ReturnType<typeof toStatus> {
  const error = AppError.from(thrown);
  environment.onFailure({ method: method.name, error });
  return toStatus(error);
}

/** Default deny: without a certificate of an allowed role there is no context, so no handler runs. */
function admit({ method, allowed, environment }: Route, call: AnyCall): CallContext {
  const caller = peerIdentity(call.getAuthContext().sslPeerCertificate);
  if (allowed !== 'anyone' && (caller === null || !allowed.includes(caller.role))) {
    throw new AppError('permission_denied', `${method.name} is for ${allowed.join(' and ')} certificates; the caller's is ${caller?.role ?? 'of no role'}`);
  }
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort(new AppError('cancelled', 'the caller is gone')));
  return { signal: gone.signal, closing: environment.closing, caller, metadata: (key) => firstText(call, key) };
}

function firstText(call: AnyCall, key: string): string | null {
  const value = call.metadata.get(key)[0];
  return value === undefined ? null : value.toString();
}

/** Without certificates there are no roles: whoever reaches the loopback address may call. */
export function accessUnder<A extends object>(security: PeerSecurity, access: A): A | { readonly [K in keyof A]: 'anyone' } {
  if (security !== 'insecure-loopback') return access;
  return Object.fromEntries(Object.keys(access).map((method) => [method, 'anyone'])) as { [K in keyof A]: 'anyone' };
}
