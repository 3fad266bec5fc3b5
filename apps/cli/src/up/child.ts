import { fork, type ChildProcess } from 'node:child_process';
import { AppError } from '@essaim/core';
import { type ChildMessage, type ParentMessage } from '@essaim/process';
import { type LogFile } from './log-file.ts';

export interface ChildSpec {
  readonly name: string;
  /** Absolute path of a bundled entry. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogFile;
  /** Flags of Node itself, beside those that every process gets. */
  readonly nodeFlags?: readonly string[];
}

/** A process of the cluster. */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves, never rejects, when the process is gone: how it ended, for a sentence. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #log: LogFile;
  /** The latest message of each kind. */
  readonly #messages = new Map<ChildMessage['kind'], ChildMessage>();
  #running = true;

  constructor({ name, entry, env, log, nodeFlags = [] }: ChildSpec) {
    this.name = name;
    this.#log = log;
    // The warnings are of libraries: node:sqlite is experimental, and grpc-js names an IP address as TLS server name.
    const execArgv = ['--disable-warning=ExperimentalWarning', '--disable-warning=DEP0123', ...nodeFlags];
    // A session of its own: Ctrl-C in the terminal reaches only the command line, which then stops its processes in order.
    this.#process = fork(entry, [], { env: { ...process.env, ...env }, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.pid = this.#process.pid ?? 0;
    this.#process.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
    this.#process.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    this.#process.on('message', (message: ChildMessage) => this.#messages.set(message.kind, message));
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => this.#settle(resolve, error.message));
      this.#process.once('close', (code, signal) => this.#settle(resolve, signal ? `killed by ${signal}` : `exit code ${code}`));
    });
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Why it gave up, in its own words or from how it ended; null while it runs well. */
  get failure(): string | null {
    const failed = this.#messages.get('failed');
    return failed?.kind === 'failed' ? failed.message : null;
  }

  /** Why it may be started again; null where it may not. */
  get deviceLoss(): string | null {
    const lost = this.#messages.get('device-lost');
    return lost?.kind === 'device-lost' ? lost.message : null;
  }

  /** The last lines of its log. */
  logTail(): string {
    return [`its log ${this.#log.path} ends with`, ...this.#log.tail()].join('\n  ');
  }

  /** Waits for the first message of that kind; rejects when the process fails or ends before, or with the signal's reason. */
  async message<K extends ChildMessage['kind']>(kind: K, signal: AbortSignal): Promise<Extract<ChildMessage, { kind: K }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<ChildMessage, { kind: K }>>();
    const look = (): void => {
      const message = this.#messages.get(kind);
      if (message) resolve(message as Extract<ChildMessage, { kind: K }>);
      else if (this.failure !== null) reject(new AppError('unavailable', this.failure));
    };
    const abort = (): void => {
      const error = AppError.from(signal.reason);
      reject(error.code === 'deadline_exceeded' ? new AppError(error.code, `${this.name} was not ${kind} in time; ${this.logTail()}`) : error);
    };
    this.#process.on('message', look);
    signal.addEventListener('abort', abort, { once: true });
    void this.ended.then((how) => reject(new AppError('unavailable', `${this.name} ended while starting (${how}); ${this.logTail()}`)));
    if (signal.aborted) abort();
    look();
    try {
      return await promise;
    } finally {
      this.#process.off('message', look);
      signal.removeEventListener('abort', abort);
    }
  }

  /** What is told to a process that just ended is lost, as its end says. */
  tell(message: ParentMessage): void {
    this.#process.send(message, () => undefined);
  }

  /** Asks it to drain and end; kills it when the time is over or the signal aborts. Resolves when it is gone. */
  async stop(graceMs: number, hurry: AbortSignal): Promise<void> {
    if (!this.#running) return;
    const kill = (): void => void this.#process.kill('SIGKILL');
    const timer = setTimeout(kill, graceMs);
    hurry.addEventListener('abort', kill, { once: true });
    this.#process.kill(hurry.aborted ? 'SIGKILL' : 'SIGTERM');
    await this.ended;
    clearTimeout(timer);
    hurry.removeEventListener('abort', kill);
  }

  #settle(resolve: (how: string) => void, how: string): void {
    if (this.#running) this.#log.close();
    this.#running = false;
    resolve(how);
  }
}
