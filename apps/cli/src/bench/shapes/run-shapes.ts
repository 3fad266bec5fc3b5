import { mkdirSync } from 'node:fs';
import { styleText } from 'node:util';
import { listenForInterruption } from '../../up/interruption.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type BenchOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { type ShapeFigures } from './measure.ts';
import { SHAPES } from './models.ts';
import { memoryLine, shapesTable, type ShapesResult } from './report.ts';
import { measureAlone } from './shape-process.ts';

/** `essaim bench shapes`: the pieces of large models one by one, without a wire, with random weights that are written nowhere but packed. */
export async function runShapesBench({ rounds, threads, shapes, dtype, experts, jsonFile, folder }: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  const progress = progressOn(process.stderr);
  const [machine, commit] = [describeMachine(), describeCommit()];
  mkdirSync(folder, { recursive: true });
  process.stdout.write(`${machineLine(machine, commit)}\n`);
  const measured: ShapeFigures[] = [];
  for (const name of shapes) {
    const note = (line: string): void => progress.note(`${name}: ${line}`);
    const figures = await measureAlone({ shape: { name, dtype, experts }, threads: threads.one, rounds, folder }, { note, signal: interruption.stop });
    measured.push(figures);
    const { hiddenSize, vocabSize } = SHAPES[name];
    process.stdout.write(`\n${styleText('bold', name)}  ${dtype}, hidden ${hiddenSize}, vocabulary ${vocabSize}, ${threads.one} threads\n${shapesTable(figures)}\n${memoryLine(figures)}\n`);
  }
  const result: ShapesResult = { benchmark: 'shapes', commit, machine, rounds, threads: threads.one, shapes: measured };
  if (jsonFile !== null) writeJson(jsonFile, result);
}
