import { memoryFile } from './memory-folder.ts';
import { type TensorBytes, writeSafetensors } from './write-safetensors.ts';
import { openSafetensors, type StoredTensor } from '../src/safetensors/open-file.ts';

export interface StoredTensors {
  readonly tensor: (name: string) => StoredTensor;
  /** Bytes that were read of the data, as [offset, length] from its start, since the last call. */
  readonly takeReads: () => (readonly [number, number])[];
}

/** Tensors of one file in memory. */
export async function storedTensors(tensors: readonly TensorBytes[]): Promise<StoredTensors> {
  const reads: [number, number][] = [];
  const file = memoryFile('model.safetensors', writeSafetensors(tensors), { onRead: (offset, length) => reads.push([offset, length]) });
  const stored = await openSafetensors(file, file.name);
  reads.length = 0;
  return {
    tensor: (name) => stored.find((candidate) => candidate.name === name)!,
    takeReads: () => reads.splice(0).map(([offset, length]) => [offset - stored[0]!.dataOffset, length] as const),
  };
}

/** Bytes that look random and are the same in every run. */
export const scrambled = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, place) => (place * 167 + seed * 71 + ((place * seed) >> 3)) & 0xff);

/** As `scrambled`, without e4m3's codes for not-a-number. */
export const scrambledE4m3 = (length: number, seed = 1): Uint8Array => scrambled(length, seed).map((code) => ((code & 127) === 127 ? 0x38 : code));
