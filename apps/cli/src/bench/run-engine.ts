import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { listenForInterruption } from '../up/interruption.ts';
import { openStateFolder } from '../up/state-folder.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { type Sample } from './metrics.ts';
import { type BenchModel, prepareModel } from './models.ts';
import { type BenchOptions, type Side, upOptions, workersOf } from './options.ts';
import { progressOn, type Progress } from './progress.ts';
import { type BenchResult, machineLine, modelLine, rowTable, threadsLine, writeJson } from './report.ts';
import { type Round, rowsOf } from './rows.ts';
import { withCluster } from './with-cluster.ts';
import { WORKLOAD } from './workload.ts';

interface Run {
  readonly options: BenchOptions;
  /** Clusters keep everything below it. */
  readonly clusters: string;
  readonly cacheFolder: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** `essaim bench engine`: each model on 1 worker and on 3, in turns. Nothing is left running however it ends, and no cluster's files. */
export async function runEngineBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  // Two benchmarks at a time would measure each other: the folder's lock keeps the second out.
  const folder = openStateFolder(options.folder, 'cluster');
  const clusters = join(folder.path, 'clusters');
  try {
    await benchAll({ options, clusters, cacheFolder: join(folder.path, 'cache'), progress: progressOn(process.stderr), stop: interruption.stop });
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  } finally {
    rmSync(clusters, { recursive: true, force: true });
    folder.close();
  }
}

/** Prints each model's table as soon as it is complete; the JSON file holds all models so far. */
async function benchAll(run: Run): Promise<void> {
  const { rounds, models, threads, jsonFile } = run.options;
  const [machine, commit] = [describeMachine(), describeCommit()];
  const print = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
  print(machineLine(machine, commit), threadsLine(threads, machine.cores));
  let result: BenchResult = { benchmark: 'engine', commit, machine, rounds, threadsPerWorker: threads, workload: WORKLOAD, rows: [] };
  for (const name of models) {
    const model = await prepareModel(name, { cacheFolder: run.cacheFolder, progress: run.progress, signal: run.stop });
    const rows = rowsOf(await benchModel(model, run));
    print('', modelLine(model), rowTable(rows));
    result = { ...result, rows: [...result.rows, ...rows.map((row) => ({ model: name, ...row }))] };
    if (jsonFile !== null) writeJson(jsonFile, result);
  }
}

async function benchModel(model: BenchModel, run: Run): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 1; round <= run.options.rounds; round++) {
    const one = await benchSide('one', { model, round, run });
    const three = await benchSide('three', { model, round, run });
    rounds.push({ one, three });
  }
  return rounds;
}

/** Starts a cluster without compiled weights, then again with them, and measures that one. */
async function benchSide(side: Side, { model, round, run }: { readonly model: BenchModel; readonly round: number; readonly run: Run }): Promise<Sample> {
  const { options, clusters, progress, stop } = run;
  const workers = workersOf(side);
  const { ref, spec } = model;
  const cluster = upOptions({ model: ref.directory, modelId: ref.id, dtype: ref.dtype, workers, threadsPerWorker: options.threads[side], stateDir: clusters });
  const note = (what: string): void => progress.note(`${model.name}, round ${round} of ${options.rounds}, ${workers} worker${workers === 1 ? '' : 's'}: ${what}`);
  rmSync(clusters, { recursive: true, force: true });
  note('starting cold');
  const coldMs = await withCluster(cluster, async ({ startMs }) => startMs, stop);
  note('starting warm');
  return withCluster(cluster, async (running, signal) => {
    note('measuring');
    const sample = await measure(running.cluster, { model: { id: ref.id, vocabSize: spec.vocabSize }, seed: round }, signal);
    return { ...sample, 'start, cold': coldMs / 1000, 'start, warm': running.startMs / 1000 };
  }, stop);
}
