import { type ModelRef, type SequenceStats } from '@essaim/core';
import { type WorkerView } from './admin.ts';
import { type Addresses } from './addresses.ts';

export interface ReadyView {
  readonly model: ModelRef;
  readonly addresses: Addresses;
  readonly epoch: number;
  readonly workers: readonly WorkerView[];
  /** Every process of the cluster, for those who watch it from outside. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

export interface Answer {
  readonly text: string;
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly timeToFirstTokenMs: number;
  /** From sending the prompt to the last token. */
  readonly totalMs: number;
  readonly stats: SequenceStats;
}

/** What `up` tells, in order. One implementation for people, one for programs. */
export interface Report {
  /** Null where nobody looks. */
  readonly loading: ((workers: readonly WorkerView[]) => void) | null;
  /** Called once, also when loading was given up. */
  loadingEnded(): void;
  ready(view: ReadyView): void;
  notice(sentence: string): void;
  /** A piece of the answer as it comes. */
  piece(text: string): void;
  answer(answer: Answer): void;
}

/** Tokens of the answer over the whole time, reading the prompt included. */
export const tokensPerSecond = (answer: Answer): number => answer.completionTokens / (answer.totalMs / 1000);
