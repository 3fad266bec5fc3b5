import { AppError } from '@essaim/core';
import { type CheckpointFile, type CheckpointFolder } from '../src/folder.ts';

export interface MemoryFolder extends CheckpointFolder {
  /** Bytes that were read of each file, as [offset, length], in order. */
  readonly reads: readonly (readonly [string, number, number])[];
  readonly closed: boolean;
}

/** A checkpoint whose files are the values of a record. */
export function memoryFolder(files: Readonly<Record<string, string | Uint8Array>>, { version = 'v1' } = {}): MemoryFolder {
  const reads: [string, number, number][] = [];
  const state = { closed: false };
  const bytesOf = (name: string): Uint8Array | null => (Object.hasOwn(files, name) ? Buffer.from(files[name]!) : null);
  return {
    directory: '/models/tiny',
    reads,
    get closed() {
      return state.closed;
    },
    readText: async (name) => bytesOf(name)?.toString() ?? null,
    has: async (name) => bytesOf(name) !== null,
    async open(name) {
      const bytes = bytesOf(name);
      return bytes === null ? null : memoryFile(name, bytes, { version, onRead: (offset, length) => reads.push([name, offset, length]) });
    },
    async close() {
      state.closed = true;
    },
  };
}

interface MemoryFileOptions {
  readonly version?: string;
  readonly onRead?: (offset: number, length: number) => void;
}

export function memoryFile(name: string, bytes: Uint8Array, { version = 'v1', onRead = () => undefined }: MemoryFileOptions = {}): CheckpointFile {
  return {
    name,
    sizeBytes: bytes.length,
    version,
    async read(offset, length) {
      onRead(offset, length);
      if (offset + length > bytes.length) throw new AppError('data_loss', `${name} ends before byte ${offset + length}`);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}
