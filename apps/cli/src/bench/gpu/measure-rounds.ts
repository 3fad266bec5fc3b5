import { AppError } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { type AgreementBounds, disagreement } from '../peer/agreement.ts';
import { agreementBetween, predictionsOf } from '../peer/compare.ts';
import { type Contender, type Prediction } from '../peer/contender.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { measureLoad } from '../peer/round.ts';
import { type OwnOmission } from './findings.ts';
import { measureStep, type ReadTimes } from './measure-step.ts';
import { type StepSplit } from './step-split.ts';
import { type Tally } from './tally.ts';

/** An engine that can have a model on the card. */
export interface Side {
  readonly engine: string;
  /** How far it may be from Essaim with the same weights; null for Essaim. */
  readonly bounds: AgreementBounds | null;
  /** Brings it up, hands it over when it answers, and ends it whatever happens. */
  run(use: (running: RunningSide, signal: AbortSignal) => Promise<void>): Promise<void>;
}

export interface RunningSide {
  readonly contender: Contender;
  /** Of its only worker; null of an engine that doesn't tell where its time goes. */
  readonly readTimes: ReadTimes | null;
}

export interface Measuring {
  readonly vocabSize: number;
  readonly loads: readonly LoadMetric[];
  readonly rounds: number;
  readonly rates: DeviceRates;
  readonly note: (line: string) => void;
  /** Where the time of a step of a row goes. */
  readonly onStep: (row: string, step: StepSplit) => void;
  readonly onOmission: (omission: OwnOmission) => void;
  readonly stop: AbortSignal;
}

const SEEDS_PER_ROUND = 1_000;

/**
 * In each round every side, one after the other, so that each has the card alone; who begins changes with each round. A rival must say the same as
 * Essaim before it is timed. What of it goes wrong is an omission and is not tried again, as is a row of Essaim's. Fails when Essaim can't run; what
 * the tally has by then stays.
 */
export async function measureRounds([ours, ...rivals]: readonly [Side, ...Side[]], measuring: Measuring, tally: Tally): Promise<void> {
  const { rounds, vocabSize, onOmission, stop } = measuring;
  const asking: Asking = { measuring, tally, failed: new Set() };
  let said: readonly Prediction[] = [];
  const left = new Set([ours, ...rivals]);
  for (let round = 1; round <= rounds; round++) {
    for (const side of round % 2 === 1 ? [...left] : [...left].reverse()) {
      try {
        await side.run(async (running, signal) => {
          if (round === 1) said = assertSame(side, said, await predictionsOf(running.contender, vocabSize, signal));
          await measureRows(side, running, { ...asking, round, signal });
        });
      } catch (thrown) {
        stop.throwIfAborted();
        if (side === ours) throw thrown;
        left.delete(side);
        const { code, message } = AppError.from(thrown);
        onOmission({ engine: side.engine, name: null, kind: code === 'data_loss' ? 'failed' : 'refused', reason: message });
      }
    }
  }
}

interface Asking {
  readonly measuring: Measuring;
  readonly tally: Tally;
  /** By engine and row. */
  readonly failed: Set<string>;
}

/** One that fails does not keep the others from being measured. Where a step's time goes is looked at in the last round alone. */
async function measureRows({ engine, bounds }: Side, { contender, readTimes }: RunningSide, { measuring, tally, failed, round, signal }: Asking & { readonly round: number; readonly signal: AbortSignal }): Promise<void> {
  const { loads, rounds, rates, vocabSize, note, onStep, onOmission } = measuring;
  for (const [nth, load] of loads.entries()) {
    const key = `${engine} ${load.name}`;
    if (failed.has(key)) continue;
    note(`${key}, round ${round} of ${rounds}`);
    try {
      tally.add(engine, load.name, { round, rate: await measureLoad(contender, load, { seed: SEEDS_PER_ROUND * round + nth, vocabSize, signal }) });
      if (readTimes === null || round < rounds) continue;
      note(`${key}, where a step's time goes`);
      const step = await measureStep(load, { contender, readTimes, rates, vocabSize, seed: nth }, signal);
      if (step !== null) onStep(load.name, step);
    } catch (thrown) {
      signal.throwIfAborted();
      failed.add(key);
      onOmission({ engine, name: load.name, kind: bounds === null ? 'failed' : 'refused', reason: AppError.from(thrown).message });
    }
  }
}

/** What Essaim said, once a side has said something. Fails with `data_loss` where a rival said something else. */
function assertSame({ engine, bounds }: Side, ours: readonly Prediction[], its: readonly Prediction[]): readonly Prediction[] {
  if (bounds === null) return its;
  const reason = disagreement(agreementBetween(ours, its), engine, bounds);
  if (reason !== null) throw new AppError('data_loss', reason);
  return ours;
}
