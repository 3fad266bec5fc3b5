import { AppError } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { type BenchModel } from '../models.ts';
import { type Contender } from '../peer/contender.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { measureLoad } from '../peer/round.ts';
import { type Progress } from '../progress.ts';
import { summarise } from '../statistics.ts';
import { type ModelRow, type Omission } from './findings.ts';
import { measureStep, type ReadTimes } from './measure-step.ts';
import { type Bounded, sharesOf } from './shares.ts';

/** An engine that has a model on the card, in one form, and answers. */
export interface Subject {
  readonly engine: string;
  readonly form: Bounded['form'] & { readonly name: string };
  readonly contender: Contender;
  /** Of its only worker; null of an engine that doesn't tell where its time goes. */
  readonly readTimes: ReadTimes | null;
}

export interface Measuring {
  readonly model: BenchModel;
  readonly loads: readonly LoadMetric[];
  readonly rounds: number;
  readonly rates: DeviceRates;
  readonly progress: Pick<Progress, 'note'>;
  /** Told of each as soon as there is one: what comes later may not come to an end. */
  readonly onRow: (row: ModelRow) => void;
  readonly onOmission: (omission: Omission) => void;
}

const SEEDS_PER_ROUND = 1_000;

/** Each load in every round, whoever is asked. One that fails does not keep the others from being measured; fails when the signal aborts. */
export async function measureRows({ engine, form, contender, readTimes }: Subject, { model: { name: model, spec }, loads, rounds, rates, progress, onRow, onOmission }: Measuring, signal: AbortSignal): Promise<void> {
  for (const [nth, load] of loads.entries()) {
    const { name, unit } = load;
    const subject = { model, engine, form: form.name, name };
    const note = (what: string): void => progress.note(`${model}, ${engine} ${form.name}: ${name}, ${what}`);
    const omit = (thrown: unknown): void => {
      signal.throwIfAborted();
      onOmission({ ...subject, kind: 'failed', reason: AppError.from(thrown).message });
    };
    const values: number[] = [];
    try {
      while (values.length < rounds) {
        const round = values.length + 1;
        note(`round ${round} of ${rounds}`);
        values.push(await measureLoad(contender, load, { seed: SEEDS_PER_ROUND * round + nth, vocabSize: spec.vocabSize, signal }));
      }
      const summary = summarise(values);
      if (readTimes !== null) note('where a step\'s time goes');
      const step = readTimes === null ? null : await measureStep(load, { contender, readTimes, rates, vocabSize: spec.vocabSize, seed: nth }, signal).catch(omit);
      onRow({ ...subject, unit, ...summary, shares: sharesOf(load, summary.median, { spec, form, rates }), step: step ?? null });
    } catch (thrown) {
      omit(thrown);
    }
  }
}
