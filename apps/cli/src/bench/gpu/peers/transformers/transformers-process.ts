import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError, assert } from '@essaim/core';
import { AskedProcess, type Channel } from '../../../peer/asked-process.ts';
import { TRANSFORMERS_REPLY, type TransformersLoading, type TransformersReply, type TransformersRequest } from './protocol.ts';

/** Beside this file, from source as well as bundled. */
const SCRIPT = join(import.meta.dirname, 'serve_transformers.py');

/** Characters of what is no reply. */
const MOST_SHOWN = 80;

/** Hugging Face transformers in a process of the user's Python, from its start to its end. Dispose of it and it is gone. */
export class TransformersProcess implements AsyncDisposable {
  readonly #process: AskedProcess;
  readonly #python: string;

  /** `python`: a command of the path, or a file. */
  constructor(python: string, loading: TransformersLoading, logFile: string) {
    const child = spawn(python, [SCRIPT, JSON.stringify(loading)], { stdio: 'pipe', detached: true });
    this.#python = python;
    this.#process = new AskedProcess(child, { name: `transformers (${python})`, logFile, channel: linesOf(child), logsOutput: false });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Asked before it has loaded, it answers as soon as it can. Fails with `unavailable` when it can't, or ends instead. */
  async ask<K extends TransformersRequest['kind']>(request: Extract<TransformersRequest, { kind: K }>, stop: AbortSignal): Promise<Extract<TransformersReply, { kind: ReplyTo[K] }>> {
    const line = await this.#process.ask(request, stop);
    const reply = replyIn(String(line));
    if (reply === null) throw new AppError('unavailable', `${this.#python} answers with '${String(line).slice(0, MOST_SHOWN)}', which is no reply`);
    if (reply.kind === 'failed') throw new AppError('unavailable', reply.message);
    assert(reply.kind === REPLY_TO[request.kind], 'a reply belongs to its request');
    return reply as Extract<TransformersReply, { kind: ReplyTo[K] }>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

/** JSON, a line for each request and each reply. */
function linesOf({ stdin, stdout }: ChildProcess): Channel {
  assert(stdin && stdout, 'the process has pipes');
  const lines = createInterface({ input: stdout });
  stdin.on('error', () => undefined);
  return {
    send: (request) => void stdin.write(`${JSON.stringify(request)}\n`),
    onReply(listener) {
      lines.once('line', listener);
      return () => lines.off('line', listener);
    },
  };
}

/** Null where something else answers than our script. */
function replyIn(line: string): TransformersReply | null {
  try {
    return TRANSFORMERS_REPLY.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

const REPLY_TO = { describe: 'described', generate: 'generated', predict: 'predicted' } as const satisfies Record<TransformersRequest['kind'], TransformersReply['kind']>;
type ReplyTo = typeof REPLY_TO;
