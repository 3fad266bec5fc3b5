import { EventEmitter } from 'node:events';
import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type handleBidiStreamingCall, type Server, type ServerDuplexStream, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { AppError } from '@essaim/core';
import { toStatus } from '../bridge/status.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;
type Answer = (call: Call) => void;

const METHODS = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);

/**
 * Adds reflection v1 and v1alpha for these services, from the descriptors inside the generated code: no .proto file is needed at run time.
 * The library that does it is large and few ask for it, so it is loaded with the first call.
 */
export function addReflection(server: Server, services: readonly DescService[]): void {
  let loaded: Promise<ReadonlyMap<string, Answer>> | null = null;
  for (const path of METHODS) {
    const answer = async (call: Call): Promise<void> => {
      try {
        (await (loaded ??= loadAnswers(services))).get(path)!(call);
      } catch (thrown) {
        call.emit('error', toStatus(AppError.from(thrown)));
      }
    };
    server.addService(bytesOnly(path), { answer });
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

const bytesOnly = (path: string): ServiceDefinition => ({
  answer: { path, requestStream: true, responseStream: true, requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
});

/** By method. */
async function loadAnswers(services: readonly DescService[]): Promise<ReadonlyMap<string, Answer>> {
  const { ReflectionService } = await import('@grpc/reflection');
  // Of a package definition, reflection reads the files only.
  const files = Object.fromEntries(services.map(({ typeName, file }) => [typeName, { fileDescriptorProtos: [...filesOf(file)].map(toDescriptor) }]));
  const answers = new Map<string, Answer>();
  const addService = (definition: ServiceDefinition, implementation: UntypedServiceImplementation): void => {
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name] as handleBidiStreamingCall<unknown, unknown>;
      answers.set(method.path, (call) => handler(inMessages(call, method)));
    }
  };
  new ReflectionService(files as unknown as PackageDefinition).addToServer({ addService } as unknown as Server);
  return answers;
}

/** A call as the library wants it, which listens to messages, writes messages and ends. */
function inMessages(call: Call, { requestDeserialize, responseSerialize }: ServiceDefinition[string]): ServerDuplexStream<unknown, unknown> {
  const messages = Object.assign(new EventEmitter(), {
    write: (message: unknown) => call.write(responseSerialize(message)),
    end: () => call.end(),
  });
  call.on('data', (bytes: Buffer) => messages.emit('data', requestDeserialize(bytes)));
  call.on('end', () => messages.emit('end'));
  return messages as unknown as ServerDuplexStream<unknown, unknown>;
}

const toDescriptor = ({ proto }: DescFile): Buffer => Buffer.from(toBinary(FileDescriptorProtoSchema, proto));

/** A file and everything it imports. */
function filesOf(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (!found.has(file)) {
    found.add(file);
    file.dependencies.forEach((dependency) => filesOf(dependency, found));
  }
  return found;
}
