import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AppError, type ModelSpec } from '@essaim/core';
import { type Arena } from './arena.ts';
import { bankView, type BankView } from './bank.ts';
import { copyJob, type Job, JOB_INTEGERS, readJob } from './job.ts';
import { type PieceLayouts } from './piece-layouts.ts';
import { Program } from './program.ts';
import { FailedElsewhere, JobIsOver, TeamSignal, type TeamSignalOptions } from './team-signal.ts';

/** A thread's place in its team. */
export interface TeamSeat {
  /** See `TeamSignal`. */
  readonly signal: TeamSignalOptions;
  /** Where jobs are written, in turns. */
  readonly slots: readonly Uint32Array[];
  readonly port: MessagePort;
}

export interface TeamThreadData<Setup> {
  readonly seat: TeamSeat;
  readonly setup: Setup;
}

export type TeamMessage =
  /** Another bank, and its number. */
  | { readonly kind: 'bank'; readonly bank: number; readonly memory: WebAssembly.Memory }
  | { readonly kind: 'close' };

/** What a thread does for its team. */
export interface TeamWork {
  /** The thread's share of a job. */
  run(job: Job): void;
  addBank(bank: number, memory: WebAssembly.Memory): void;
}

/** What threads that compute a model are made with. */
export interface ModelSetup {
  readonly spec: ModelSpec;
  readonly layouts: PieceLayouts;
  readonly arena: Arena;
  readonly module: WebAssembly.Module;
}

/** The life of a thread that computes beside the one that serves: the entry file of a thread calls this and nothing else. */
export function runTeamThread(): void {
  const { seat, setup: { spec, layouts, arena, module } } = workerData as TeamThreadData<ModelSetup>;
  const banks: BankView[] = [];
  const { thread, threads } = seat.signal;
  serveTeam(seat, (signal) => {
    const program = new Program({ spec, layouts, arena, thread, threads, signal, bank: (bank) => banks[bank]! });
    return { run: (job) => program.run(job), addBank: (bank, memory) => void (banks[bank] = bankView(module, memory)) };
  });
}

/** Does its share of jobs until it is told to close. A job that fails is reported, unless it failed elsewhere. */
export function serveTeam({ signal: options, slots, port }: TeamSeat, workWith: (signal: TeamSignal) => TeamWork): void {
  const signal = new TeamSignal(options);
  const work = workWith(signal);
  const words = new Uint32Array(JOB_INTEGERS);
  for (let isClosed = false; !isClosed; ) {
    signal.awaitJob();
    try {
      copyJob(slots[signal.slot]!, words);
      // Then there may be something of a later one in it.
      if (!signal.isOver) {
        const job = readJob(words);
        if (job !== null) work.run(job);
        else isClosed = takeMessages();
      }
    } catch (thrown) {
      if (!(thrown instanceof FailedElsewhere || thrown instanceof JobIsOver)) {
        signal.fail();
        port.postMessage(AppError.from(thrown).report());
      }
    }
    signal.done();
  }
  port.close();

  function takeMessages(): boolean {
    for (;;) {
      const message = receiveMessageOnPort(port)?.message as TeamMessage | undefined;
      if (message === undefined) return false;
      if (message.kind === 'close') return true;
      work.addBank(message.bank, message.memory);
    }
  }
}
