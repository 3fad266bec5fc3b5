import { type DeviceRates } from '@essaim/devices';
import { type BenchModel } from '../models.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { type Beside, type ModelRow } from './findings.ts';
import { type GpuForm } from './forms.ts';
import { RIVAL_NAMES, type RivalName } from './peers/rival-names.ts';
import { sharesOf } from './shares.ts';
import { type StepSplit } from './step-split.ts';
import { type Tally } from './tally.ts';

/** As a program finds it; its rivals have their own names. */
export const ENGINE = 'essaim';

interface Measured {
  readonly model: BenchModel;
  readonly form: GpuForm;
  readonly loads: readonly LoadMetric[];
  readonly rates: DeviceRates;
  /** By row. */
  readonly steps: ReadonlyMap<string, StepSplit>;
}

/** A row for each load that Essaim was measured with, and the rivals beside it. */
export function modelRows(tally: Tally, { model: { name: model, spec }, form, loads, rates, steps }: Measured): ModelRow[] {
  return loads.flatMap((load) => {
    const { name, unit } = load;
    const rate = tally.rate(ENGINE, name);
    return rate === null ? [] : [{ model, engine: ENGINE, form: form.name, name, unit, ...rate, shares: sharesOf(load, rate.median, { spec, form, rates }), step: steps.get(name) ?? null, beside: besideOf(tally, name) }];
  });
}

function besideOf(tally: Tally, row: string): ModelRow['beside'] {
  return Object.fromEntries(RIVAL_NAMES.flatMap((rival): [RivalName, Beside][] => {
    const [rate, ratio] = [tally.rate(rival, row), tally.ratio(ENGINE, rival, row)];
    return rate === null || ratio === null ? [] : [[rival, { ...rate, ratio }]];
  }));
}
