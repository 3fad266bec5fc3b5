import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, LIMITS } from '@essaim/core';
import { type DeviceRates, type TestedDevice } from '@essaim/devices';
import { kvLayoutOf } from '@essaim/kv';
import { type UpOptions } from '../../up/options.ts';
import { shareOf } from '../../up/worker-devices.ts';
import { type BenchModel } from '../models.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { COMPARED } from '../peer/compare.ts';
import { kvMemoryMib } from '../peer/kv-memory.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { type Progress } from '../progress.ts';
import { type Findings, type Omission, type OwnOmission } from './findings.ts';
import { type GpuForm } from './forms.ts';
import { GPU_LOADS, softwareLoad } from './loads.ts';
import { measureRounds } from './measure-rounds.ts';
import { ENGINE, modelRows } from './model-rows.ts';
import { type RivalName } from './peers/rival-names.ts';
import { type Rival } from './peers/rival.ts';
import { refusalOf } from './refusal.ts';
import { essaimSide, rivalSide } from './sides.ts';
import { type StepSplit } from './step-split.ts';
import { Tally } from './tally.ts';

export interface Asked {
  readonly device: TestedDevice;
  readonly rates: DeviceRates;
  readonly rivals: readonly Rival[];
  readonly options: BenchOptions;
  /** Absolute; everything that is written lies below it. */
  readonly folder: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** A model in one form, in all rounds; as `measureModel`. */
export async function measureForm(form: GpuForm, model: BenchModel, { device, rates, rivals, options, folder, progress, stop }: Asked): Promise<Findings> {
  const loads = loadsOf(device, options.loads);
  const clusters = join(folder, 'clusters');
  const tally = new Tally();
  const steps = new Map<string, StepSplit>();
  const about = new Map<RivalName, string>();
  const omissions: Omission[] = [];
  const of = { model: model.name, form: form.name };
  const omit = (omission: OwnOmission): void => void omissions.push({ ...of, ...omission });
  try {
    const cluster = clusterOf(model, form, { device, loads, stateDir: clusters });
    const sides = [essaimSide(cluster, stop), ...rivals.map((rival) => rivalSide(rival, { model, form, onAbout: (line) => about.set(rival.name, line), stop }))] as const;
    const note = (line: string): void => progress.note(`${model.name} in ${form.name}: ${line}`);
    const refusal = await refusalOf(device, form, cluster);
    if (refusal === null) await measureRounds(sides, { vocabSize: model.spec.vocabSize, loads, rounds: options.rounds, rates, note, onStep: (row, step) => steps.set(row, step), onOmission: omit, stop }, tally);
    else omit({ engine: ENGINE, name: null, kind: 'refused', reason: refusal });
  } catch (thrown) {
    stop.throwIfAborted();
    omit({ engine: ENGINE, name: null, kind: 'failed', reason: AppError.from(thrown).message });
  } finally {
    // A large model in several forms need not fit the disk.
    rmSync(clusters, { recursive: true, force: true });
  }
  return { rows: modelRows(tally, { model, form, loads, rates, steps }), rivals: [...about].map(([engine, line]) => ({ ...of, engine, about: line })), omissions };
}

/** One worker that runs as many sequences as a row has streams, with room for them and no more. */
function clusterOf({ ref, spec }: BenchModel, { dtype, compute }: GpuForm, { device, loads, stateDir }: { readonly device: TestedDevice; readonly loads: readonly LoadMetric[]; readonly stateDir: string }): UpOptions {
  const kvMemory = kvMemoryMib([COMPARED, ...loads.map(({ load }) => load)], kvLayoutOf(spec, 'f32'));
  const flags = { model: ref.directory, modelId: ref.id, dtype, computeDtype: compute, kvMemory, runningSequences: LIMITS.mostRunningSequences, stateDir };
  return upOptions(flags, [shareOf(device, 1)]);
}

const loadsOf = ({ kind }: TestedDevice, names: BenchOptions['loads']): LoadMetric[] =>
  GPU_LOADS.filter(({ name }) => names === null || names.includes(name)).map((load) => (kind === 'software' ? softwareLoad(load) : load));
