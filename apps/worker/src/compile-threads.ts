import { Worker } from 'node:worker_threads';
import { AppError, type ComputeDtype, type ErrorReport, type ModelRef } from '@essaim/core';
import { type TestedDevice } from '@essaim/devices';
import { type PanelPiece } from '@essaim/panels';
import { type CompiledPiece } from './runtime.ts';

export type CompileReply =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'done'; readonly file: CompiledPiece }
  | { readonly kind: 'failed'; readonly error: ErrorReport };

export interface CompileThreadsOptions {
  readonly model: ModelRef;
  readonly cacheFolder: string;
  readonly threads: number;
  /** Pieces become graphs of ONNX Runtime's, for a card of this kind; null for panels. */
  readonly card: (Pick<TestedDevice, 'tensorBytes'> & { readonly compute: ComputeDtype }) | null;
}

/** A thread that found nothing to do for so long ends, and its memory is free for answers. */
const IDLE_MS = 2_000;

/** A few threads that compile pieces into the cache, each one at a time. */
export class CompileThreads {
  readonly #idle: CompileThread[];
  readonly #all: readonly CompileThread[];
  readonly #waiting: ((thread: CompileThread) => void)[] = [];

  constructor(options: CompileThreadsOptions) {
    this.#all = Array.from({ length: options.threads }, () => new CompileThread(options));
    this.#idle = [...this.#all];
  }

  /** Fails as the compiler fails: `data_loss` for a broken checkpoint, `resource_exhausted` for a full disk. */
  async compile(piece: PanelPiece, onBytes: (bytes: number) => void): Promise<CompiledPiece> {
    const thread = this.#idle.pop() ?? (await new Promise<CompileThread>((resolve) => this.#waiting.push(resolve)));
    try {
      return await thread.compile(piece, onBytes);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.close()));
  }
}

/** Starts with its first piece, and again with the next one after it ended. */
class CompileThread {
  readonly #data: Omit<CompileThreadsOptions, 'threads'>;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;

  constructor({ model, cacheFolder, card }: CompileThreadsOptions) {
    this.#data = { model, cacheFolder, card };
  }

  compile(piece: PanelPiece, onBytes: (bytes: number) => void): Promise<CompiledPiece> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
        act();
      };
      const onMessage = (reply: CompileReply): void => {
        if (reply.kind === 'bytes') onBytes(reply.bytes);
        else if (reply.kind === 'done') settle(() => resolve(reply.file));
        else settle(() => reject(AppError.reported(reply.error)));
      };
      const onError = (cause: Error): void => settle(() => reject(AppError.from(cause)));
      const onExit = (): void => settle(() => reject(new AppError('cancelled', 'compiling was stopped')));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(piece);
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./compile.thread.js', import.meta.url), { workerData: this.#data });
    // An error reaches whoever waits for a piece; between pieces there is nobody to tell and nothing lost.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    worker.unref();
    return worker;
  }
}
