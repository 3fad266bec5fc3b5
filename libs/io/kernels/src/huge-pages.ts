import { setTimeout } from 'node:timers/promises';

/** Of x86-64, and of arm64 with pages of 4 KiB. */
const HUGE_BYTES = 2 << 20;
/** Linux 6.1: makes pages of 2 MiB of a range now, whatever the system does by itself. @see madvise(2) */
const MADV_COLLAPSE = 25;
/** Starting and the first answers come first. */
const QUIET_MS = 2_000;
/** Between two pages: making one keeps whoever reads from it waiting for a moment. */
const PAUSE_MS = 2;
/** Memory may be short of large pages for a moment; a system that has none never gives one. */
const MOST_FAILURES = 8;

type Advise = (address: Uint8Array, bytes: number, advice: number) => Promise<number>;

interface Range {
  readonly buffer: SharedArrayBuffer;
  readonly at: number;
  readonly bytes: number;
}

/**
 * Moves weights into pages of 2 MiB once they are loaded, where the system lets us. Every token reads all that it uses of them: with pages of
 * 4 KiB the processor looks up hundreds of thousands of addresses for that. V8 does not ask for large pages, and Node can't.
 */
export class HugePages {
  readonly #waiting: Range[] = [];
  #lastMs = 0;
  #isMoving = false;
  #isOver = process.platform !== 'linux';

  /** Weights that were loaded and will not move. */
  add(buffer: SharedArrayBuffer, at: number, bytes: number): void {
    if (this.#isOver) return;
    this.#waiting.push({ buffer, at, bytes });
    this.#lastMs = performance.now();
    if (!this.#isMoving) void this.#move();
  }

  close(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
  }

  /** Whatever fails costs speed, not answers: it is not tried again. */
  async #move(): Promise<void> {
    this.#isMoving = true;
    try {
      for (let quietMs = 0; quietMs < QUIET_MS && !this.#isOver; quietMs = performance.now() - this.#lastMs) await setTimeout(QUIET_MS - quietMs, undefined, { ref: false });
      const advise = await adviseOfLinux();
      let failures = 0;
      for (let range = this.#waiting.shift(); range !== undefined; range = this.#waiting.shift()) {
        for (let at = Math.ceil(range.at / HUGE_BYTES) * HUGE_BYTES; at < range.at + range.bytes && !this.#isOver; at += HUGE_BYTES) {
          if ((await advise(new Uint8Array(range.buffer, at, HUGE_BYTES), HUGE_BYTES, MADV_COLLAPSE)) !== 0 && ++failures === MOST_FAILURES) return this.close();
          await setTimeout(PAUSE_MS, undefined, { ref: false });
        }
      }
    } catch {
      this.close();
    } finally {
      this.#isMoving = false;
    }
  }
}

/** On a thread of the pool. */
async function adviseOfLinux(): Promise<Advise> {
  const { default: koffi } = await import('koffi');
  const madvise = koffi.load(null).func('int madvise(void *addr, size_t length, int advice)');
  return (address, bytes, advice) => new Promise((resolve, reject) => madvise.async(address, bytes, advice, (error: Error | null, result: number) => (error === null ? resolve(result) : reject(error))));
}
