import { type ModelSpec } from '@essaim/core';
import { type PieceLayout } from '@essaim/panels';
import { type Arena } from './arena.ts';
import { type BankView } from './bank.ts';
import { type AttendJob } from './job.ts';
import { type Phases } from './phases.ts';
import { type PieceLayouts } from './piece-layouts.ts';
import { type TeamSignal } from './team-signal.ts';

export interface ProgramOptions {
  readonly spec: ModelSpec;
  readonly layouts: PieceLayouts;
  readonly arena: Arena;
  /** The thread's number in its team, and how many there are. */
  readonly thread: number;
  readonly threads: number;
  readonly signal: TeamSignal;
  readonly bank: (bank: number) => BankView;
}

/** What parts of a program share. */
export interface ProgramContext extends ProgramOptions {
  readonly phases: Phases;
  /** Address of the thread's own scratch, in every bank. */
  readonly scratch: number;
}

/** One kind of attention: from the normed rows, and the same quantised, to what attention adds to the residual stream, in `output`. */
export interface AttentionProgram {
  run(job: AttendJob, layout: PieceLayout): void;
}
