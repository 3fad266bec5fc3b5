/** The port through which a checkpoint is read. `@essaim/files` implements it over a real folder. */
export interface CheckpointFolder {
  /** For messages. */
  readonly directory: string;
  /** A whole small text file (UTF-8); null where it does not exist. Fails with `data_loss` past `maxBytes`, with `not_found` where it can't be read. */
  readText(name: string, limit: { readonly maxBytes: number }): Promise<string | null>;
  /** Whether a file of that name exists. Leaves nothing open. */
  has(name: string): Promise<boolean>;
  /** A file to read by byte range; null where it does not exist. The folder owns it: closing the folder closes it. */
  open(name: string): Promise<CheckpointFile | null>;
  close(): Promise<void>;
}

export interface CheckpointFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Changes when the file does: size and modification time. Not its path. */
  readonly version: string;
  /** Exactly `length` bytes from `offset`, its own memory, 8-byte aligned. Fails with `data_loss` when the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}
