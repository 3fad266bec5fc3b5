import { type CheckpointFile, type CheckpointFolder } from '@essaim/checkpoint';
import { AppError, assert } from '@essaim/core';
import { join } from 'node:path';
import { OpenFile } from './open-file.ts';

/**
 * A folder of the file system as a checkpoint. Nothing is touched before the first read, and nothing but its own entries is ever read;
 * an entry may be a symbolic link, as everything in a Hugging Face cache is. Each file is opened once, shared, and held until `close`.
 */
export function openCheckpointFolder(directory: string): CheckpointFolder {
  return new FileSystemFolder(directory);
}

class FileSystemFolder implements CheckpointFolder {
  readonly directory: string;
  /** Only of files that exist, so as many as the folder has entries at most. */
  readonly #files = new Map<string, Promise<OpenFile | null>>();
  #closed = false;

  constructor(directory: string) {
    this.directory = directory;
  }

  async readText(name: string, { maxBytes }: { readonly maxBytes: number }): Promise<string | null> {
    const file = await OpenFile.open(this.#path(name), name);
    if (file === null) return null;
    try {
      return await readWhole(file, maxBytes);
    } finally {
      await file.close();
    }
  }

  async has(name: string): Promise<boolean> {
    const file = await OpenFile.open(this.#path(name), name);
    await file?.close();
    return file !== null;
  }

  async open(name: string): Promise<CheckpointFile | null> {
    const path = this.#path(name);
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const opening = OpenFile.open(path, name);
    this.#files.set(name, opening);
    const forget = (): void => void this.#files.delete(name);
    opening.then((file) => file ?? forget(), forget);
    return opening;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const files = await Promise.allSettled(this.#files.values());
    this.#files.clear();
    await Promise.all(files.map(async (file) => (file.status === 'fulfilled' ? file.value?.close() : undefined)));
  }

  #path(name: string): string {
    assert(!this.#closed, `${this.directory} is not read after it was closed`);
    if (!isEntryName(name)) {
      throw new AppError('permission_denied', `${this.directory} refers to the file ${JSON.stringify(name)}: only files in that folder itself are read`);
    }
    return join(this.directory, name);
  }
}

/** Backslashes and drive letters too: a checkpoint means the same on every system. */
const isEntryName = (name: string): boolean => name !== '' && name !== '.' && name !== '..' && !/[/\\:\0]/.test(name);

async function readWhole(file: OpenFile, maxBytes: number): Promise<string> {
  if (file.sizeBytes > maxBytes) {
    throw new AppError('data_loss', `${file.path} has ${file.sizeBytes} bytes, more than the ${maxBytes} that such a file may have: download it again`);
  }
  const bytes = await file.read(0, file.sizeBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('data_loss', `${file.path} is not UTF-8 text: download it again`, { cause });
  }
}
