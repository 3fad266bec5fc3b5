import { PassThrough } from 'node:stream';
import { type WriteStream } from 'node:tty';
import { expect, it } from 'vitest';
import { type WorkerView } from './admin.ts';
import { progressLine } from './progress-line.ts';

const worker = (state: string): WorkerView => ({ id: 'w1', pid: 1, device: 'cpu', state, residentBytes: 0, progress: { doneBytes: 30_000_000, totalBytes: 60_000_000 }, experts: 0 });

/** What is on a stream that looks like a terminal of that width, or like a file. */
function written(states: readonly string[], terminal: { readonly isTTY: true; readonly columns: number } | null): string {
  const stream = Object.assign(new PassThrough(), terminal ?? {});
  const line = progressLine(stream as unknown as WriteStream);
  for (const state of states) line.show([worker(state)]);
  line.end();
  return String(stream.read());
}

it('draws the share that is loaded, and clears its line at the end', () => {
  const drawn = written(['loading'], { isTTY: true, columns: 120 });
  expect(drawn).toContain('50 %  30 of 60 MB  0 of 1 workers ready');
  expect(drawn.endsWith('\r\u001b[2K')).toBe(true);
});

it('stays on one line of a narrow terminal, since what wraps could not be cleared', () => {
  const frames = written(['loading', 'ready'], { isTTY: true, columns: 40 }).split('\r\u001b[2K');
  expect(frames.map((frame) => frame.length)).toEqual([0, 39, 39, 0]);
});

it('writes a line whenever a worker changes its state where there is no terminal', () => {
  expect(written(['loading', 'loading', 'ready'], null)).toBe('worker w1 is loading\nworker w1 is ready\n');
});
