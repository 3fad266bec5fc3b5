import { type ChildProcess } from 'node:child_process';
import { AppError } from '@essaim/core';
import { LogFile } from '../../up/log-file.ts';

/** Loading and the longest row together stay far below. */
const REPLY_TIMEOUT_MS = 15 * 60_000;

/** How a process is talked to: what is sent has one reply, and the next is sent after it. */
export interface Channel {
  /** Never fails: the end of the process is heard of elsewhere. */
  send(request: object): void;
  /** Once, for the next reply; what it returns forgets the listener. */
  onReply(listener: (reply: unknown) => void): () => void;
}

export interface AskedOptions {
  /** As people call what runs in it. */
  readonly name: string;
  readonly logFile: string;
  readonly channel: Channel;
  /** Whether its standard output is a log, too. */
  readonly logsOutput: boolean;
}

/** Another engine in a process of its own, from its start to its end. Dispose of it and it is gone. */
export class AskedProcess implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #channel: Channel;
  readonly #log: LogFile;
  readonly #ended: Promise<Error | null>;

  constructor(process: ChildProcess, { name, logFile, channel, logsOutput }: AskedOptions) {
    this.#process = process;
    this.#name = name;
    this.#channel = channel;
    this.#log = new LogFile(logFile);
    for (const output of logsOutput ? [process.stdout, process.stderr] : [process.stderr]) output?.on('data', (chunk: Buffer) => this.#log.write(chunk));
    this.#ended = new Promise((resolve) => {
      process.once('error', resolve);
      process.once('close', () => resolve(null));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Asked before it has loaded, it answers as soon as it can. Fails with `unavailable` when the process can't be started or ends instead. */
  async ask(request: object, stop: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const signal = AbortSignal.any([stop, AbortSignal.timeout(REPLY_TIMEOUT_MS)]);
    let isWaiting = true;
    const abort = (): void => reject(AppError.from(signal.reason));
    const forget = this.#channel.onReply(resolve);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    void this.#ended.then((error) => isWaiting && reject(this.#endedEarly(error)));
    this.#channel.send(request);
    try {
      return await promise;
    } finally {
      isWaiting = false;
      forget();
      signal.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing that must be saved, and in native code it would not hear a politer signal.
    this.#process.kill('SIGKILL');
    await this.#ended;
    this.#log.close();
  }

  #endedEarly(error: Error | null): AppError {
    if (error !== null) return new AppError('unavailable', `${this.#name} could not be started: ${error.message}`, { cause: error });
    return new AppError('unavailable', [`${this.#name} (pid ${this.pid}) ended unexpectedly; its log ${this.#log.path} ends with`, ...this.#log.tail()].join('\n  '));
  }
}
