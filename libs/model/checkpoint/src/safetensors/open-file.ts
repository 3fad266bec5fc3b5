import { damaged } from '../damaged.ts';
import { type CheckpointFile } from '../folder.ts';
import { parseHeader, type TensorEntry } from './header.ts';

const LENGTH_BYTES = 8;
/** The format's own bound. */
const MAX_HEADER_BYTES = 100_000_000;

/** A tensor and the file that has it. */
export interface StoredTensor extends TensorEntry {
  readonly file: CheckpointFile;
  /** Where the file lies, for messages. */
  readonly path: string;
  /** Where the file's data starts. */
  readonly dataOffset: number;
}

/** Reads and checks the header of a safetensors file: 8 bytes of little-endian length, that much JSON, then the data. `path` is for messages. */
export async function openSafetensors(file: CheckpointFile, path: string): Promise<StoredTensor[]> {
  if (!Number.isSafeInteger(file.sizeBytes)) throw damaged(path, `it has ${file.sizeBytes} bytes, more than can be counted exactly`);
  if (file.sizeBytes < LENGTH_BYTES) throw damaged(path, `it has ${file.sizeBytes} bytes, less than the length of a header takes`);
  const length = await readHeaderLength(file, path);
  const dataOffset = LENGTH_BYTES + length;
  const entries = parseHeader(path, await file.read(LENGTH_BYTES, length), file.sizeBytes - dataOffset);
  return entries.map((entry) => ({ ...entry, file, path, dataOffset }));
}

async function readHeaderLength(file: CheckpointFile, path: string): Promise<number> {
  const bytes = await file.read(0, LENGTH_BYTES);
  if (isGitLfsPointer(bytes)) throw damaged(path, 'it is a Git LFS pointer in place of the weights (`git lfs pull` fetches them)');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw damaged(path, `its header would have ${length} bytes, more than the ${MAX_HEADER_BYTES} that the format allows`);
  if (length > file.sizeBytes - LENGTH_BYTES) throw damaged(path, `its header would have ${length} bytes, but the file ends after ${file.sizeBytes - LENGTH_BYTES}`);
  return Number(length);
}

const isGitLfsPointer = (start: Uint8Array): boolean => String.fromCharCode(...start) === 'version ';
