import { type ChildProcess, fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { extname, join } from 'node:path';
import { AppError, assert } from '@essaim/core';
import { AskedProcess, type Channel } from '../asked-process.ts';
import { type LlamaLoading, type LlamaReply, type LlamaRequest } from './protocol.ts';

/** Beside this file, from source as well as bundled. */
const ENTRY = join(import.meta.dirname, `llama.process${extname(import.meta.filename)}`);

/** llama.cpp in a process of its own, from its start to its end. Dispose of it and it is gone. */
export class LlamaProcess implements AsyncDisposable {
  /** When it was started, on `performance.now()`. */
  readonly startedMs = performance.now();
  readonly #process: AskedProcess;

  /** `environment`: variables beside this process's own. */
  constructor(loading: LlamaLoading, logFile: string, environment: Readonly<Record<string, string>> = {}) {
    const child = fork(ENTRY, [JSON.stringify(loading)], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.#process = new AskedProcess(child, { name: 'llama.cpp', logFile, channel: messagesOf(child), logsOutput: true });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Asked before it has loaded, it answers as soon as it can. Fails with `unavailable` when the process ends instead. */
  async ask<K extends LlamaRequest['kind']>(request: Extract<LlamaRequest, { kind: K }>, stop: AbortSignal): Promise<Extract<LlamaReply, { kind: ReplyTo[K] }>> {
    const reply = (await this.#process.ask(request, stop)) as LlamaReply;
    if (reply.kind === 'failed') throw new AppError('unavailable', `llama.cpp failed: ${reply.message}`);
    assert(reply.kind === REPLY_TO[request.kind], 'a reply belongs to its request');
    return reply as Extract<LlamaReply, { kind: ReplyTo[K] }>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

const messagesOf = (child: ChildProcess): Channel => ({
  send: (request) => void child.send(request, () => undefined),
  onReply(listener) {
    child.once('message', listener);
    return () => child.off('message', listener);
  },
});

const REPLY_TO = { describe: 'described', generate: 'generated', predict: 'predicted' } as const satisfies Record<LlamaRequest['kind'], LlamaReply['kind']>;
type ReplyTo = typeof REPLY_TO;
