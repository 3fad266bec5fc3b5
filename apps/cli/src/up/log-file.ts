import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** One process writes at most twice this: the current file and the one before it (`.1`). */
const MAX_BYTES = 8 << 20;
const TAIL_LINES = 5;

/** A process's log: a fresh file for each start, the former one kept. */
export class LogFile {
  readonly path: string;
  #descriptor: number;
  #bytes = 0;

  constructor(path: string) {
    this.path = path;
    this.#descriptor = this.#rotate();
  }

  write(chunk: Uint8Array): void {
    if (this.#bytes + chunk.length > MAX_BYTES) {
      closeSync(this.#descriptor);
      this.#descriptor = this.#rotate();
    }
    this.#bytes += writeSync(this.#descriptor, chunk);
  }

  /** The last lines, for a person: of a JSON line only what it says. */
  tail(): string[] {
    return readFileSync(this.path, 'utf8').split('\n').filter((line) => line !== '').slice(-TAIL_LINES).map(readable);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): number {
    if (existsSync(this.path)) renameSync(this.path, `${this.path}.1`);
    this.#bytes = 0;
    return openSync(this.path, 'w', 0o600);
  }
}

function readable(line: string): string {
  try {
    const { message = '', error } = JSON.parse(line) as { message?: string; error?: { message?: string } };
    const reason = error?.message ?? '';
    // An error that is logged alone is its line's message too.
    return reason.startsWith(message) ? reason || line : [message, reason].filter((part) => part !== '').join(': ');
  } catch {
    return line;
  }
}
