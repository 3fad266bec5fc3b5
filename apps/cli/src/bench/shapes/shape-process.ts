import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { AppError, type ErrorCode } from '@essaim/core';
import { type ShapeCase, type ShapeFigures } from './measure.ts';

/** Beside this file, from source as well as bundled. */
const ENTRY = join(import.meta.dirname, `shape.process${extname(import.meta.filename)}`);

/** What the process is started with. */
export interface ShapeRequest {
  readonly shape: ShapeCase;
  readonly threads: number;
  readonly rounds: number;
  readonly folder: string;
}

/** What it says: any number of notes, then one of the others. */
export type ShapeReply =
  | { readonly kind: 'note'; readonly line: string }
  | { readonly kind: 'figures'; readonly figures: ShapeFigures }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

interface Watch {
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * One model in a process of its own, whose highest memory is that model's. Whatever becomes of it, it is gone afterwards with all that it wrote.
 * Fails as `measureShape` does, and with `unavailable` where the process ends without a word.
 */
export async function measureAlone(request: ShapeRequest, watch: Watch): Promise<ShapeFigures> {
  const folder = await mkdtemp(join(request.folder, 'shapes-'));
  try {
    return await figuresOf({ ...request, folder }, watch);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function figuresOf(request: ShapeRequest, { note, signal }: Watch): Promise<ShapeFigures> {
  const { promise, resolve, reject } = Promise.withResolvers<ShapeFigures>();
  // In a group of its own: Ctrl-C is heard here, and ends it below.
  const child = fork(ENTRY, [JSON.stringify(request)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true });
  const ended = new Promise<void>((resolveEnd) => child.once('close', () => resolveEnd()).once('error', () => resolveEnd()));
  const abort = (): void => reject(new AppError('cancelled', 'interrupted before everything was measured'));
  child.on('message', (reply: ShapeReply) => {
    if (reply.kind === 'note') note(reply.line);
    else if (reply.kind === 'figures') resolve(reply.figures);
    else reject(new AppError(reply.code, reply.message));
  });
  void ended.then(() => reject(new AppError('unavailable', 'the process that measured has ended without a result: see whether the system ended it for want of memory, and measure fewer experts with --experts')));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    child.kill('SIGKILL');
    await ended;
  }
}
