import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { calibrate, type Observation } from '@essaim/planning';
import { readDescription } from '../../plan/read-description.ts';
import { listenForInterruption } from '../../up/interruption.ts';
import { openStateFolder } from '../../up/state-folder.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type BenchModel, prepareModel } from '../models.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { progressOn, type Progress } from '../progress.ts';
import { machineLine, modelLine, writeJson } from '../report.ts';
import { syntheticCheckpoint } from '../synthetic/checkpoint.ts';
import { comparePlan, type PlanRow } from './compare-plan.ts';
import { medianOf, type ObservedModel, observe } from './observe.ts';
import { type CostRow, costTable, type PlanBenchResult, planTable, verdictLine } from './report.ts';
import { RULERS } from './rulers.ts';
import { topologyYaml } from './topology-file.ts';

/** Clusters that are calibrated and then predicted. Cores are shared out. */
const WORKERS = [1, 2] as const;
const SEED = 1;
const SHARD_BYTES = 1e9;

interface Run {
  readonly options: BenchOptions;
  readonly folder: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/**
 * `essaim bench plan`: measures what this machine costs with small models, then predicts others with it, and measures these too. Nothing is left running
 * however it ends; compiled weights stay, for the next time.
 */
export async function runPlanBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  // Two benchmarks at a time would measure each other: the folder's lock keeps the second out.
  const folder = openStateFolder(options.folder, 'cluster');
  try {
    await benchAll({ options, folder: folder.path, progress: progressOn(process.stderr), stop: interruption.stop });
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  } finally {
    folder.close();
  }
}

async function benchAll(run: Run): Promise<void> {
  const { models, rounds, jsonFile } = run.options;
  const [machine, commit] = [describeMachine(), describeCommit()];
  print(machineLine(machine, commit));
  let result: PlanBenchResult = { benchmark: 'plan', commit, machine, rounds, costs: [], rulers: [], rows: [] };
  for (const name of models) {
    const model = await prepareModel(name, { cacheFolder: join(run.folder, 'cache'), progress: run.progress, signal: run.stop });
    print('', modelLine(model));
    const rulers = await prepareRulers(model.ref.dtype, run);
    for (const workers of WORKERS) {
      const measured = await benchModel(model, { workers, rulers, run });
      const { dtype, costs } = measured.cost;
      print(costTable([measured.cost]), planTable(measured.rows), verdictLine(measured.rows), `the models it was calibrated with: ${verdictLine(measured.rulers)}`);
      print(writeTopology(run.folder, topologyYaml({ machine, commit, dtype, workers, threadsPerWorker: threadsOf(workers), costs }), `this-machine-${dtype}-${workers}`));
      result = { ...result, costs: [...result.costs, measured.cost], rulers: [...result.rulers, ...measured.rulers], rows: [...result.rows, ...measured.rows] };
      if (jsonFile !== null) writeJson(jsonFile, result);
    }
  }
}

interface Calibration {
  readonly workers: number;
  readonly rulers: readonly ObservedModel[];
  readonly run: Run;
}

interface Calibrated {
  readonly cost: CostRow;
  readonly rulers: readonly PlanRow[];
  readonly rows: readonly PlanRow[];
}

/** Calibrated in the form of weights that the model runs in, with as many workers. */
async function benchModel({ name, ref }: BenchModel, { workers, rulers, run }: Calibration): Promise<Calibrated> {
  const asked: ObservedModel = { ref, description: await readDescription(ref.directory) };
  const [observed, ...seen] = await observeAll([asked, ...rulers], workers, run);
  const costs = calibrate(seen.flat());
  return {
    cost: { dtype: ref.dtype, workers, costs },
    rulers: seen.flatMap((each, index) => comparePlan(rulers[index]!.ref.id, each, costs)),
    rows: comparePlan(name, observed!, costs),
  };
}

/** Medians by model. Every round asks all of them, so that a slow minute of the machine is not one model's alone. */
async function observeAll(models: readonly ObservedModel[], workers: number, run: Run): Promise<Observation[][]> {
  const rounds = models.map((): Observation[][] => []);
  for (let round = 0; round < run.options.rounds; round++) {
    for (const [index, model] of models.entries()) rounds[index]!.push(await observeOn(workers, model, run));
  }
  return rounds.map(medianOf);
}

async function prepareRulers(dtype: ObservedModel['ref']['dtype'], { folder, progress, stop }: Run): Promise<ObservedModel[]> {
  const rulers: ObservedModel[] = [];
  for (const [id, spec] of Object.entries(RULERS)) {
    const directory = await syntheticCheckpoint({
      spec, seed: SEED, cacheFolder: join(folder, 'cache'), tokenizerFolder: upOptions({}).model.directory, shardBytes: SHARD_BYTES, onProgress: progress.bytes(`writing the model '${id}'`), signal: stop,
    });
    rulers.push({ ref: { id, directory, dtype }, description: await readDescription(directory) });
  }
  return rulers;
}

function observeOn(workers: number, model: ObservedModel, { folder, progress, stop }: Run): Promise<Observation[]> {
  progress.note(`${model.ref.id}, ${model.ref.dtype}, ${workers} worker${workers === 1 ? '' : 's'}`);
  return observe(model, { workers, threadsPerWorker: threadsOf(workers), stateDirectory: join(folder, 'plan', model.ref.id) }, stop);
}

const threadsOf = (workers: number): number => Math.max(1, Math.floor(availableParallelism() / workers));

/** Returns how to plan with it. */
function writeTopology(folder: string, yaml: string, name: string): string {
  const topologies = join(folder, 'topologies');
  mkdirSync(topologies, { recursive: true });
  const file = join(topologies, `${name}.yaml`);
  writeFileSync(file, yaml);
  return `to plan for this machine: essaim plan --cluster ${file}`;
}

const print = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
