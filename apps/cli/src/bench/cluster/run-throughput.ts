import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStateFolder } from '../../up/state-folder.ts';
import { prepareModel } from '../models.ts';
import { type BenchModelName, type BenchOptions } from '../options.ts';
import { type Progress } from '../progress.ts';
import { modelLine } from '../report.ts';
import { measureThroughput, type ThroughputRound, type ThroughputRow, throughputRows } from './throughput.ts';
import { breakdownTable, coresLine, throughputTable } from './throughput-report.ts';

export interface ThroughputRun {
  readonly options: BenchOptions;
  readonly cores: number;
  readonly progress: Progress;
  /** Told each table as soon as it is complete. */
  readonly print: (...lines: readonly string[]) => void;
  readonly stop: AbortSignal;
}

export type ModelThroughputRow = { readonly model: BenchModelName } & ThroughputRow;

/** The same model on one worker, on two and on four, in turns. Nothing is left running however it ends, and no cluster's files. */
export async function benchThroughput(run: ThroughputRun): Promise<ModelThroughputRow[]> {
  // Two benchmarks at a time would measure each other: the folder's lock keeps the second out.
  const folder = openStateFolder(run.options.folder, 'cluster');
  const clusters = join(folder.path, 'clusters');
  try {
    const rows: ModelThroughputRow[] = [];
    for (const name of run.options.models) rows.push(...(await benchModel(name, { ...run, clusters, cacheFolder: join(folder.path, 'cache') })));
    return rows;
  } finally {
    rmSync(clusters, { recursive: true, force: true });
    folder.close();
  }
}

interface Folders {
  readonly clusters: string;
  readonly cacheFolder: string;
}

async function benchModel(name: BenchModelName, { options, cores, progress, print, stop, clusters, cacheFolder }: ThroughputRun & Folders): Promise<ModelThroughputRow[]> {
  const model = await prepareModel(name, { cacheFolder, progress, signal: stop });
  const threadsPerWorker = options.threads.three;
  const note = (what: string): void => progress.note(`${name}, ${what}`);
  const rounds: ThroughputRound[] = [];
  while (rounds.length < options.rounds) rounds.push(await measureThroughput({ model, threadsPerWorker, stateDirectory: clusters, round: rounds.length + 1, note, stop }));
  const rows = throughputRows(rounds, threadsPerWorker);
  print('', modelLine(model), throughputTable(rows), breakdownTable(rows), coresLine(rows, cores));
  return rows.map((row) => ({ model: name, ...row }));
}
