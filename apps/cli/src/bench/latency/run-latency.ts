import { loadavg } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { listenForInterruption } from '../../up/interruption.ts';
import { openStateFolder } from '../../up/state-folder.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { prepareModel } from '../models.ts';
import { type BenchOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, modelLine, writeJson } from '../report.ts';
import { measureRound } from './clusters.ts';
import { type Sample } from './metrics.ts';
import { latencyTable, type LatencyResult } from './report.ts';
import { latencyRows } from './rows.ts';
import { WORKLOAD } from './workload.ts';

/** `essaim bench latency`: how long streams wait for their next token, alone and while something happens beside them. Nothing is left running however it ends. */
export async function runLatencyBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  const folder = openStateFolder(options.folder, 'cluster');
  try {
    await benchLatency(options, folder.path, interruption.stop);
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  } finally {
    folder.close();
  }
}

/** Prints each model's table as soon as it is complete; the JSON file holds all models so far. */
async function benchLatency({ rounds, models, threads, jsonFile }: BenchOptions, folder: string, stop: AbortSignal): Promise<void> {
  const progress = progressOn(process.stderr);
  const [machine, commit, before] = [describeMachine(), describeCommit(), loadOfLastMinute()];
  print(machineLine(machine, commit));
  let rows: LatencyResult['rows'] = [];
  for (const name of models) {
    const model = await prepareModel(name, { cacheFolder: join(folder, 'cache'), progress, signal: stop });
    const samples: Sample[] = [];
    while (samples.length < rounds) {
      const nth = samples.length + 1;
      const note = (what: string): void => progress.note(`${name}, round ${nth} of ${rounds}: ${what}`);
      samples.push(await measureRound({ nth, model, options: { folder: join(folder, 'latency'), threads }, note, stop }));
    }
    const measured = latencyRows(samples);
    rows = [...rows, ...measured.map((row) => ({ model: name, ...row }))];
    const loadAverage = { before, after: loadOfLastMinute() };
    print('', modelLine(model), latencyTable(measured), `load average of the machine: ${before.toFixed(1)} before the rounds, ${loadAverage.after.toFixed(1)} after them`);
    const result: LatencyResult = { benchmark: 'latency', commit, machine, rounds, threads: threads.one, workload: WORKLOAD, loadAverage, rows };
    if (jsonFile !== null) writeJson(jsonFile, result);
  }
}

const print = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);

const loadOfLastMinute = (): number => loadavg()[0]!;
