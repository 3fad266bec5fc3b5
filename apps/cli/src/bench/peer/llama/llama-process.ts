import { type ChildProcess, fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { extname, join } from 'node:path';
import { AppError, assert } from '@essaim/core';
import { LogFile } from '../../../up/log-file.ts';
import { type LlamaLoading, type LlamaReply, type LlamaRequest } from './protocol.ts';

/** Beside this file, from source as well as bundled. */
const ENTRY = join(import.meta.dirname, `llama.process${extname(import.meta.filename)}`);
/** Loading and the longest row together stay far below. */
const REPLY_TIMEOUT_MS = 15 * 60_000;

/** llama.cpp in a process of its own, from its start to its end. Dispose of it and it is gone. */
export class LlamaProcess implements AsyncDisposable {
  readonly pid: number;
  /** When it was started, on `performance.now()`. */
  readonly startedMs = performance.now();
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #log: LogFile;

  constructor(loading: LlamaLoading, logFile: string) {
    this.#log = new LogFile(logFile);
    this.#process = fork(ENTRY, [JSON.stringify(loading)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.pid = this.#process.pid ?? 0;
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#log.write(chunk));
    this.#process.stderr?.on('data', (chunk: Buffer) => this.#log.write(chunk));
    this.#ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve());
      this.#process.once('close', () => resolve());
    });
  }

  /** Asked before it has loaded, it answers as soon as it can. Fails with `unavailable` when the process ends instead. */
  async ask<K extends LlamaRequest['kind']>(request: Extract<LlamaRequest, { kind: K }>, stop: AbortSignal): Promise<Extract<LlamaReply, { kind: ReplyTo[K] }>> {
    const { promise, resolve, reject } = Promise.withResolvers<LlamaReply>();
    const signal = AbortSignal.any([stop, AbortSignal.timeout(REPLY_TIMEOUT_MS)]);
    let isWaiting = true;
    const abort = (): void => reject(AppError.from(signal.reason));
    this.#process.once('message', resolve);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    void this.#ended.then(() => isWaiting && reject(this.#endedEarly()));
    // A message that can't be sent has no reader any more: the end of the process is heard of above.
    this.#process.send(request, () => undefined);
    try {
      const reply = await promise;
      if (reply.kind === 'failed') throw new AppError('unavailable', `llama.cpp failed: ${reply.message}`);
      assert(reply.kind === REPLY_TO[request.kind], 'a reply belongs to its request');
      return reply as Extract<LlamaReply, { kind: ReplyTo[K] }>;
    } finally {
      isWaiting = false;
      this.#process.off('message', resolve);
      signal.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing that must be saved, and in native code it would not hear a politer signal.
    this.#process.kill('SIGKILL');
    await this.#ended;
    this.#log.close();
  }

  #endedEarly(): AppError {
    return new AppError('unavailable', [`llama.cpp (pid ${this.pid}) ended unexpectedly; its log ${this.#log.path} ends with`, ...this.#log.tail()].join('\n  '));
  }
}

const REPLY_TO = { generate: 'generated', predict: 'predicted' } as const satisfies Record<LlamaRequest['kind'], LlamaReply['kind']>;
type ReplyTo = typeof REPLY_TO;
