import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type Server } from '@grpc/grpc-js';
import { type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { service as healthService } from 'grpc-health-check';

/** Adds reflection v1 and v1alpha for a service and for health, from the descriptors inside the generated code: no .proto file is needed at run time. */
export function addReflection(server: Server, service: DescService): void {
  const fileDescriptorProtos = [...filesOf(service.file)].map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  const ours = { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos };
  const health = Object.values(healthService)[0]!.requestType;
  new ReflectionService({ [service.typeName]: ours, health } as PackageDefinition).addToServer(server);
}

/** A file and everything it imports. */
function filesOf(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (!found.has(file)) {
    found.add(file);
    file.dependencies.forEach((dependency) => filesOf(dependency, found));
  }
  return found;
}
