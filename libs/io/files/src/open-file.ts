import { type CheckpointFile } from '@essaim/checkpoint';
import { AppError } from '@essaim/core';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** One read call of the system takes less than 2 GiB. */
const BYTES_PER_CALL = 1 << 30;

/** A regular file, open for reading at any position. It is as large as it was when it was opened. */
export class OpenFile implements CheckpointFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly version: string;
  readonly #handle: FileHandle;

  /** Null where nothing of that name exists. Fails with `not_found` where it can't be read or is no regular file. */
  static async open(path: string, name: string): Promise<OpenFile | null> {
    const handle = await openHandle(path);
    if (handle === null) return null;
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return new OpenFile(path, name, { handle, stats });
    await handle.close();
    throw new AppError('not_found', `${path} is not a regular file: replace it by the checkpoint's own file`);
  }

  private constructor(path: string, name: string, { handle, stats }: { readonly handle: FileHandle; readonly stats: BigIntStats }) {
    this.path = path;
    this.name = name;
    this.sizeBytes = Number(stats.size);
    this.version = `${stats.size}-${stats.mtimeNs}`;
    this.#handle = handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset + length > this.sizeBytes) throw this.#endsBefore(offset + length);
    // Not Buffer: its pool would give memory that is neither aligned nor our own.
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const bytesRead = await this.#readInto(bytes, filled, offset + filled);
      if (bytesRead === 0) throw this.#endsBefore(offset + length);
      filled += bytesRead;
    }
    return bytes;
  }

  /** Waits for reads that are under way. */
  close(): Promise<void> {
    return this.#handle.close();
  }

  /** The system may read less than asked for. */
  async #readInto(bytes: Uint8Array, filled: number, position: number): Promise<number> {
    try {
      return (await this.#handle.read(bytes, filled, Math.min(bytes.length - filled, BYTES_PER_CALL), position)).bytesRead;
    } catch (cause) {
      throw new AppError('unavailable', `${this.path} can't be read at byte ${position} (${errnoOf(cause)}): check the disk or the network share it lies on`, { cause });
    }
  }

  #endsBefore(end: number): AppError {
    return new AppError('data_loss', `${this.path} ends before byte ${end}, which should be read: it is incomplete or was cut while in use; download it again`);
  }
}

async function openHandle(path: string): Promise<FileHandle | null> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw new AppError('not_found', `${path} can't be read (${errnoOf(cause)}): check that it is a path that this user may read`, { cause });
  }
}

const errnoOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? 'no error code';
