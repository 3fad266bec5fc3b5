import { AppError } from '@essaim/core';
import { listenForInterruption } from '../../up/interruption.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type BenchOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { CASES } from './cases.ts';
import { growthLine, scaleTable, type ScaleResult } from './report.ts';
import { growthOf, scaleRows } from './rows.ts';

/** `essaim bench scale`: what deciding costs a lead, in this process, without a model and without a wire. */
export async function runScaleBench({ rounds, jsonFile }: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  const progress = progressOn(process.stderr);
  const [machine, commit] = [describeMachine(), describeCommit()];
  const measured: number[][] = [];
  while (measured.length < rounds) {
    progress.note(`scale, round ${measured.length + 1} of ${rounds}`);
    measured.push(await measureRound(interruption.stop));
  }
  const [rows, growth] = [scaleRows(CASES, measured), growthOf(CASES, measured)];
  process.stdout.write(`${[machineLine(machine, commit), scaleTable(rows), ...growth.map(growthLine)].join('\n')}\n`);
  const result: ScaleResult = { benchmark: 'scale', commit, machine, rounds, rows, growth };
  if (jsonFile !== null) writeJson(jsonFile, result);
}

async function measureRound(stop: AbortSignal): Promise<number[]> {
  const measured: number[] = [];
  for (const { measure } of CASES) {
    if (stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured');
    measured.push(await measure());
  }
  return measured;
}
