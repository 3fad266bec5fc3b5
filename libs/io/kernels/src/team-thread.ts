import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AppError, type ModelSpec } from '@essaim/core';
import { type Arena } from './arena.ts';
import { readJob } from './job.ts';
import { instantiate } from './module.ts';
import { type BankView, type PieceLayouts } from './program-context.ts';
import { Program } from './program.ts';
import { TeamSignal } from './team-signal.ts';

export interface TeamThreadData {
  readonly setup: { readonly spec: ModelSpec; readonly layouts: PieceLayouts; readonly arena: Arena; readonly module: WebAssembly.Module };
  readonly thread: number;
  readonly threads: number;
  /** See `TeamSignal`. */
  readonly ints: Int32Array;
  readonly words: Uint32Array;
  readonly port: MessagePort;
}

export type TeamMessage =
  /** Another bank; they are numbered in the order in which they come. */
  | { readonly kind: 'bank'; readonly memory: WebAssembly.Memory }
  | { readonly kind: 'close' };

/** The life of a thread that computes beside the one that serves: the entry file of a thread calls this and nothing else. */
export function runTeamThread(): void {
  const { setup, thread, threads, ints, words, port } = workerData as TeamThreadData;
  const { spec, layouts, arena, module } = setup;
  const signal = new TeamSignal(ints, thread, threads);
  const banks: BankView[] = [];
  const program = new Program({ spec, layouts, arena, thread, threads, signal, bank: (bank) => banks[bank]! });
  for (let isClosed = false; !isClosed; ) {
    signal.awaitJob();
    try {
      const job = readJob(words);
      if (job !== null) program.run(job);
      else isClosed = takeMessages();
    } catch (thrown) {
      signal.fail();
      port.postMessage(AppError.from(thrown).report());
    }
    signal.done();
  }
  port.close();

  function takeMessages(): boolean {
    for (;;) {
      const message = receiveMessageOnPort(port)?.message as TeamMessage | undefined;
      if (message === undefined) return false;
      if (message.kind === 'close') return true;
      banks.push(bankView(module, message.memory));
    }
  }
}

export const bankView = (module: WebAssembly.Module, memory: WebAssembly.Memory): BankView => ({ kernels: instantiate(module, memory), floats: new Float32Array(memory.buffer) });
