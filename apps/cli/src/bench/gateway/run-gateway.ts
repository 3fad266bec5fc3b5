import { AppError } from '@essaim/core';
import { listenForInterruption } from '../../up/interruption.ts';
import { openStateFolder } from '../../up/state-folder.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { measureGateway } from './measure.ts';
import { type Sample } from './metrics.ts';
import { gatewayTable, type GatewayResult } from './report.ts';
import { gatewayRows } from './rows.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { WORKLOAD } from './workload.ts';

/** `essaim bench gateway`: what a gateway costs, in front of a lead that computes nothing. Each round has a new gateway. Nothing is left running however it ends. */
export async function runGatewayBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  try {
    await benchGateway(options, interruption.stop);
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  }
}

async function benchGateway({ rounds, folder, jsonFile }: BenchOptions, stop: AbortSignal): Promise<void> {
  const progress = progressOn(process.stderr);
  const [machine, commit] = [describeMachine(), describeCommit()];
  print(machineLine(machine, commit));
  const samples: Sample[] = [];
  while (samples.length < rounds) {
    progress.note(`gateway, round ${samples.length + 1} of ${rounds}`);
    samples.push(await benchRound(folder, stop));
  }
  const rows = gatewayRows(samples);
  print(gatewayTable(rows));
  const result: GatewayResult = { benchmark: 'gateway', commit, machine, rounds, workload: WORKLOAD, rows };
  if (jsonFile !== null) writeJson(jsonFile, result);
}

async function benchRound(stateDirectory: string, stop: AbortSignal): Promise<Sample> {
  const folder = openStateFolder(stateDirectory, 'run');
  const cluster = new ScriptedCluster(upOptions({ stateDir: stateDirectory }), folder);
  try {
    const gateway = await cluster.start(stop);
    return await Promise.race([measureGateway(gateway, stop), cluster.untilBroken()]);
  } finally {
    await cluster.stop(stop);
    folder.close();
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
