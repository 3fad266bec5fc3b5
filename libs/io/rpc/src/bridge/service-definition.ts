import { type DescMessage, type DescMethod, type DescService, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';

/** Unknown fields are dropped: nobody here passes messages on. */
function serializer<D extends DescMessage>(desc: D): (message: MessageShape<D>) => Buffer {
  return (message) => {
    const bytes = toBinary(desc, message, { writeUnknownFields: false });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function deserializer<D extends DescMessage>(desc: D): (bytes: Buffer) => MessageShape<D> {
  return (bytes) => fromBinary(desc, bytes, { readUnknownFields: false });
}

export type MethodOf<I extends DescMessage, O extends DescMessage> = MethodDefinition<MessageShape<I>, MessageShape<O>>;

/** What grpc-js must know of one method, for either side. */
export function methodDefinition<I extends DescMessage, O extends DescMessage>(method: DescMethod & { readonly input: I; readonly output: O }): MethodOf<I, O> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: serializer(method.input),
    requestDeserialize: deserializer(method.input),
    responseSerialize: serializer(method.output),
    responseDeserialize: deserializer(method.output),
    originalName: method.localName,
  };
}

/** How one side of a two-way stream reads and writes its frames. */
export interface FrameCodec<In, Out> {
  /** May return views of the bytes. What it throws ends the stream. */
  readonly decode: (bytes: Buffer) => In;
  readonly encode: (frame: Out) => Buffer;
}

/** The frames as protobuf-es has them. */
export const messageCodec = <I extends DescMessage, O extends DescMessage>(input: I, output: O): FrameCodec<MessageShape<I>, MessageShape<O>> =>
  ({ decode: deserializer(input), encode: serializer(output) });

/** What grpc-js must know of a service; `codecOf` says how its two-way streams are read and written. */
export function serviceDefinition(service: DescService, codecOf: (method: DescMethod) => FrameCodec<unknown, never>): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method): [string, ServiceDefinition[string]] => {
    if (method.methodKind !== 'bidi_streaming') return [method.localName, methodDefinition(method)];
    const { decode, encode } = codecOf(method);
    return [method.localName, { ...methodDefinition(method), requestDeserialize: decode, responseSerialize: encode as (frame: unknown) => Buffer }];
  }));
}
