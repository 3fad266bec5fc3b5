import { type WriteStream } from 'node:tty';

const CLEAR_LINE = '\r\u001b[2K';
/** Between two lines where a line can't be redrawn. */
const PERCENT_STEP = 25;

/** What a benchmark is doing, on stderr: hours can pass before there is a result. */
export interface Progress {
  note(line: string): void;
  /** For something that takes long and knows how far it is. */
  bytes(what: string): (doneBytes: number, totalBytes: number) => void;
}

export function progressOn(stream: WriteStream): Progress {
  return {
    note: (line) => void stream.write(`${line}\n`),
    bytes: (what) => {
      let shownPercent = 0;
      return (doneBytes, totalBytes) => {
        const percent = Math.floor((100 * doneBytes) / totalBytes);
        if (percent < shownPercent + (stream.isTTY ? 1 : PERCENT_STEP)) return;
        shownPercent = percent;
        const line = `${what}: ${percent} %, ${gigabytes(doneBytes)} of ${gigabytes(totalBytes)} GB`;
        stream.write(stream.isTTY && percent < 100 ? `${CLEAR_LINE}${line}` : `${stream.isTTY ? CLEAR_LINE : ''}${line}\n`);
      };
    },
  };
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
