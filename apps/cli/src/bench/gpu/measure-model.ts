import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, LIMITS, type WorkerTimes } from '@essaim/core';
import { type DeviceRates, type TestedDevice } from '@essaim/devices';
import { kvLayoutOf } from '@essaim/kv';
import { connectInference } from '@essaim/rpc';
import { type UpOptions } from '../../up/options.ts';
import { shareOf } from '../../up/worker-devices.ts';
import { freshTimes } from '../cluster/worker-times.ts';
import { type BenchModel, prepareModel } from '../models.ts';
import { type BenchModelName, type BenchOptions, upOptions } from '../options.ts';
import { essaimContender } from '../peer/essaim.ts';
import { kvMemoryMib } from '../peer/kv-memory.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { type Progress } from '../progress.ts';
import { type RunningCluster, withCluster } from '../with-cluster.ts';
import { type Findings, type ModelRow, type Omission } from './findings.ts';
import { GPU_FORMS, type GpuForm } from './forms.ts';
import { GPU_LOADS, softwareLoad } from './loads.ts';
import { type Measuring, measureRows } from './measure-rows.ts';
import { refusalOf } from './refusal.ts';

export interface Asked {
  readonly device: TestedDevice;
  readonly rates: DeviceRates;
  readonly options: BenchOptions;
  /** Absolute; everything that is written lies below it. */
  readonly folder: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

export const ENGINE = 'essaim';

/** A model on one worker of the card in each form, asked over the public gRPC. What goes wrong is an omission; fails when it is interrupted. */
export async function measureModel(name: BenchModelName, { device, rates, options, folder, progress, stop }: Asked): Promise<Findings> {
  const forms = GPU_FORMS.filter((form) => options.forms.includes(form.name));
  const rows: ModelRow[] = [];
  const omissions: Omission[] = [];
  const omit = (kind: Omission['kind'], form: GpuForm, reason: string): void => void omissions.push({ model: name, engine: ENGINE, form: form.name, name: null, kind, reason });
  const failed = (thrown: unknown, ...of: readonly GpuForm[]): void => {
    if (stop.aborted) throw thrown;
    for (const form of of) omit('failed', form, AppError.from(thrown).message);
  };
  try {
    const model = await prepareModel(name, { cacheFolder: join(folder, 'cache'), progress, signal: stop });
    const loads = loadsOf(device, options.loads);
    const measuring: Measuring = { model, loads, rounds: options.rounds, rates, progress, onRow: (row) => rows.push(row), onOmission: (omission) => omissions.push(omission) };
    for (const form of forms) {
      const clusters = join(folder, 'clusters');
      try {
        const cluster = clusterOf(model, form, { device, loads, stateDir: clusters });
        const refusal = await refusalOf(device, form, cluster);
        if (refusal !== null) omit('refused', form, refusal);
        else await withCluster(cluster, (running, signal) => measureForm(running, { form, measuring }, signal), stop);
      } catch (thrown) {
        failed(thrown, form);
      } finally {
        // A large model in several forms need not fit the disk.
        rmSync(clusters, { recursive: true, force: true });
      }
    }
  } catch (thrown) {
    failed(thrown, ...forms);
  }
  return { rows, omissions };
}

async function measureForm({ cluster }: RunningCluster, { form, measuring }: { readonly form: GpuForm; readonly measuring: Measuring }, signal: AbortSignal): Promise<void> {
  const gateway = connectInference(cluster.addresses.grpc);
  try {
    const readTimes = async (until: AbortSignal): Promise<WorkerTimes> => [...(await freshTimes(cluster.addresses.admin, until)).values()][0]!;
    await measureRows({ engine: ENGINE, form, contender: essaimContender(cluster, gateway, measuring.model.ref.id), readTimes }, measuring, signal);
  } finally {
    gateway.close();
  }
}

/** One worker that runs as many sequences as a row has streams, with room for them and no more. */
function clusterOf({ ref, spec }: BenchModel, { dtype, compute }: GpuForm, { device, loads, stateDir }: { readonly device: TestedDevice; readonly loads: readonly LoadMetric[]; readonly stateDir: string }): UpOptions {
  const kvMemory = kvMemoryMib(loads.map(({ load }) => load), kvLayoutOf(spec, 'f32'));
  const flags = { model: ref.directory, modelId: ref.id, dtype, computeDtype: compute, kvMemory, runningSequences: LIMITS.mostRunningSequences, stateDir };
  return upOptions(flags, [shareOf(device, 1)]);
}

const loadsOf = ({ kind }: TestedDevice, names: BenchOptions['loads']): LoadMetric[] =>
  GPU_LOADS.filter(({ name }) => names === null || names.includes(name)).map((load) => (kind === 'software' ? softwareLoad(load) : load));
