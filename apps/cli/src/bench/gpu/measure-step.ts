import { type WorkerTimes } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { type Contender } from '../peer/contender.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { randomPrompt } from '../prompts.ts';
import { seededRandom } from '../random.ts';
import { minus, splitOf, type StepSplit, useBetween } from './step-split.ts';

/** What the worker behind a contender tells of itself now. */
export type ReadTimes = (signal: AbortSignal) => Promise<WorkerTimes>;

interface Watched {
  readonly contender: Contender;
  readonly readTimes: ReadTimes;
  readonly rates: DeviceRates;
  readonly vocabSize: number;
  readonly seed: number;
}

/**
 * A load once more, beside which nothing runs, with a look at the worker before and after it. Steps that decode are what it takes more than the same prompts take alone: some go together with the end of others' prompts,
 * and can't be told from those by time.
 */
export async function measureStep({ load, work }: LoadMetric, { contender, readTimes, rates, vocabSize, seed }: Watched, signal: AbortSignal): Promise<StepSplit | null> {
  const random = seededRandom(seed);
  const ask = async (newTokens: number): Promise<void> => {
    const prompts = Array.from({ length: load.streams }, () => randomPrompt(random, { tokens: load.promptTokens, vocabSize }));
    await contender.generate(prompts, { ...load, newTokens, work }, signal);
  };
  const begin = await readTimes(signal);
  await ask(load.newTokens);
  const end = await readTimes(signal);
  if (work === 'prefill') return splitOf(useBetween(begin, end), rates);
  await ask(1);
  return splitOf(minus(useBetween(begin, end), useBetween(end, await readTimes(signal))), rates);
}
