import { type WriteStream } from 'node:tty';
import { type WorkerView } from './admin.ts';

const BAR_WIDTH = 30;
const CLEAR_LINE = '\r\u001b[2K';

export interface ProgressLine {
  show(workers: readonly WorkerView[]): void;
  end(): void;
}

/** One line that redraws itself on a terminal; elsewhere a line whenever a worker changes its state. */
export function progressLine(stream: WriteStream): ProgressLine {
  return stream.isTTY ? redrawn(stream) : listed(stream);
}

function redrawn(stream: WriteStream): ProgressLine {
  return {
    // A line that wraps could not be cleared again.
    show: (workers) => void stream.write(`${CLEAR_LINE}${bar(workers).slice(0, stream.columns - 1)}`),
    end: () => void stream.write(CLEAR_LINE),
  };
}

function listed(stream: NodeJS.WritableStream): ProgressLine {
  const states = new Map<string, string>();
  return {
    show: (workers) => {
      for (const { id, state } of workers) {
        if (states.get(id) !== state) stream.write(`worker ${id} is ${state}\n`);
        states.set(id, state);
      }
    },
    end: () => undefined,
  };
}

function bar(workers: readonly WorkerView[]): string {
  const done = workers.reduce((sum, worker) => sum + worker.progress.doneBytes, 0);
  const total = workers.reduce((sum, worker) => sum + worker.progress.totalBytes, 0);
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  const ready = workers.filter(({ state }) => state === 'ready').length;
  return `loading ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} %  ${(done / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB  ${ready} of ${workers.length} workers ready`;
}
