import { performance } from 'node:perf_hooks';
import { type InferenceApi } from '@essaim/rpc';
import { type Question } from '../ask.ts';
import { type Gaps, gapsIn, type Period } from './gaps.ts';
import { Streams } from './streams.ts';
import { WORKLOAD } from './workload.ts';

/** The same streams before something happened and while it did. */
export interface Watched {
  readonly before: Gaps;
  readonly during: Gaps;
}

export interface Watching {
  readonly gateway: InferenceApi;
  readonly questions: readonly Question[];
  readonly signal: AbortSignal;
}

/** Lets streams run, and then something happen beside them. They are given up once it has. */
export async function watch({ gateway, questions, signal }: Watching, happen: () => Promise<void>): Promise<Watched> {
  const streams = new Streams(gateway, questions, signal);
  try {
    await streams.each(WORKLOAD.settlingTokens);
    const before = await periodOf(() => streams.each(WORKLOAD.quietTokens));
    const during = await periodOf(happen);
    // A wait that began meanwhile counts in full.
    await streams.each(1);
    return { before: gapsIn(streams.tokenMs, before), during: gapsIn(streams.tokenMs, during) };
  } finally {
    await streams.stop();
  }
}

async function periodOf(act: () => Promise<void>): Promise<Period> {
  const fromMs = performance.now();
  await act();
  return { fromMs, toMs: performance.now() };
}
