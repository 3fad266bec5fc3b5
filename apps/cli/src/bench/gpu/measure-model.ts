import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { deviceName, type TestedDevice } from '@essaim/devices';
import { connectInference } from '@essaim/rpc';
import { openStateFolder } from '../../up/state-folder.ts';
import { shareOf } from '../../up/worker-devices.ts';
import { type BenchModel, prepareModel } from '../models.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { essaimContender } from '../peer/essaim.ts';
import { type LoadMetric } from '../peer/metrics.ts';
import { activeBytes } from '../peer/roofline.ts';
import { measureLoad } from '../peer/round.ts';
import { type Progress } from '../progress.ts';
import { summarise, type Summary } from '../statistics.ts';
import { type RunningCluster, withCluster } from '../with-cluster.ts';
import { GPU_LOADS, softwareLoad } from './loads.ts';

/** What a model on the card does, over the rounds. */
export interface ModelRow extends Summary {
  readonly model: string;
  readonly dtype: string;
  readonly name: string;
  readonly unit: string;
  /** Of a single stream: the bytes of weights that it uses each second over those that the card copies; null for others. */
  readonly shareOfCopyRate: number | null;
}

interface Asked {
  readonly device: TestedDevice;
  readonly copyBytesPerSecond: number;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** Form of all models: what is compared with llama.cpp on the processor, too. */
const DTYPE = 'int4';
const SEEDS_PER_ROUND = 1_000;

/** Each model on one worker of the card, asked over the public gRPC. */
export async function measureModels(options: BenchOptions, asked: Asked): Promise<ModelRow[]> {
  // Two benchmarks at a time would measure each other: the folder's lock keeps the second out.
  const folder = openStateFolder(options.folder, 'cluster');
  const clusters = join(folder.path, 'clusters');
  try {
    const rows: ModelRow[] = [];
    for (const name of options.models) {
      const model = await prepareModel(name, { cacheFolder: join(folder.path, 'cache'), progress: asked.progress, signal: asked.stop });
      const cluster = upOptions({ model: model.ref.directory, modelId: model.ref.id, dtype: DTYPE, stateDir: clusters }, [shareOf(asked.device, 1)]);
      rows.push(...await withCluster(cluster, (running, signal) => measureModel(model, running, { options, asked, signal }), asked.stop));
    }
    return rows;
  } finally {
    rmSync(clusters, { recursive: true, force: true });
    folder.close();
  }
}

interface Measuring {
  readonly options: BenchOptions;
  readonly asked: Asked;
  readonly signal: AbortSignal;
}

async function measureModel({ name: model, ref, spec }: BenchModel, { cluster }: RunningCluster, { options: { loads, rounds }, asked: { device, copyBytesPerSecond, progress }, signal }: Measuring): Promise<ModelRow[]> {
  const gateway = connectInference(cluster.addresses.grpc);
  try {
    const contender = essaimContender(cluster, gateway, ref.id);
    const rows: ModelRow[] = [];
    for (const [nth, load] of loadsOf(device, loads).entries()) {
      const values: number[] = [];
      for (let round = 1; round <= rounds; round++) {
        progress.note(`${model} on ${deviceName(device)}, ${load.name}, round ${round} of ${rounds}`);
        values.push(await measureLoad(contender, load, { seed: SEEDS_PER_ROUND * round + nth, vocabSize: spec.vocabSize, signal }));
      }
      const summary = summarise(values);
      const isStream = load.work === 'decode' && load.load.streams === 1;
      rows.push({ model, dtype: DTYPE, name: load.name, unit: load.unit, ...summary, shareOfCopyRate: isStream ? (summary.median * activeBytes(spec)) / copyBytesPerSecond : null });
    }
    return rows;
  } finally {
    gateway.close();
  }
}

const loadsOf = ({ kind }: TestedDevice, names: BenchOptions['loads']): LoadMetric[] =>
  GPU_LOADS.filter(({ name }) => names === null || names.includes(name)).map((load) => (kind === 'software' ? softwareLoad(load) : load));
