import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type Server } from '@grpc/grpc-js';
import { type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** Adds reflection v1 and v1alpha for these services, from the descriptors inside the generated code: no .proto file is needed at run time. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  // Of a package definition, reflection reads the files only.
  const files = Object.fromEntries(services.map(({ typeName, file }) => [typeName, { fileDescriptorProtos: [...filesOf(file)].map(toDescriptor) }]));
  new ReflectionService(files as unknown as PackageDefinition).addToServer(server);
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
