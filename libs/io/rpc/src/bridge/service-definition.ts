import { type DescMessage, type DescMethod, type DescService, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { workerV1 } from '@essaim/contracts';
import { encodeExecuteRequest, encodeExecuteResponse } from './activation-frames.ts';

/** Messages with a shorter way to their bytes than protobuf-es has. */
const SHORTCUTS: ReadonlyMap<DescMessage, (message: never) => Buffer> = new Map<DescMessage, (message: never) => Buffer>([
  [workerV1.ExecuteRequestSchema, encodeExecuteRequest],
  [workerV1.ExecuteResponseSchema, encodeExecuteResponse],
]);

/** Unknown fields are dropped: nobody here passes messages on. */
function serializer<D extends DescMessage>(desc: D): (message: MessageShape<D>) => Buffer {
  return SHORTCUTS.get(desc) as ((message: MessageShape<D>) => Buffer) | undefined ?? ((message) => {
    const bytes = toBinary(desc, message, { writeUnknownFields: false });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
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

export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}
