import { styleText } from 'node:util';
import { writeFileSync } from 'node:fs';
import Table from 'cli-table3';
import { AppError, type ModelSpec } from '@essaim/core';
import { type Machine } from './machine.ts';
import { type BenchModel } from './models.ts';
import { type Threads } from './options.ts';
import { type Row } from './rows.ts';
import { type Summary } from './statistics.ts';
import { type WORKLOAD } from './workload.ts';

/** What one run found out, as the JSON file holds it. */
export interface BenchResult {
  readonly benchmark: 'engine';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly threadsPerWorker: Threads;
  readonly workload: typeof WORKLOAD;
  readonly rows: readonly ({ readonly model: string } & Row)[];
}

/** Fails with `permission_denied` when the file can't be written. */
export function writeJson(file: string, result: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  } catch (cause) {
    throw new AppError('permission_denied', `${file} can't be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}): give --json a file of yours`, { cause });
  }
}

export function machineLine({ processor, cores, memoryBytes, system, node }: Machine, commit: string): string {
  return `${processor}, ${counted(cores, 'core')}, ${(memoryBytes / 1e9).toFixed(0)} GB memory, ${system}, Node ${node}, commit ${commit}`;
}

/** One fair sentence about who had how much of the machine. */
export function threadsLine({ one, three }: Threads, cores: number): string {
  const sum = one === 3 * three ? `${counted(one, 'thread')} on both sides` : `${one} against ${3 * three} in all, since the machine has ${counted(cores, 'core')}`;
  return `1 worker of ${counted(one, 'thread')}, 3 workers of ${counted(three, 'thread')} each: ${sum}`;
}

export function modelLine({ name, ref, spec }: BenchModel): string {
  return `${styleText('bold', name)}  ${ref.id}, ${ref.dtype}, ${spec.layerCount} layers, hidden ${spec.hiddenSize}${expertsOf(spec)}, vocabulary ${spec.vocabSize}`;
}

const expertsOf = ({ feedForward }: ModelSpec): string => (feedForward.kind === 'moe' ? `, ${feedForward.expertCount} experts of ${feedForward.size}, ${feedForward.expertsPerToken} per token` : '');

/** Medians, with the smallest and the largest where there are several. */
export function rowTable(rows: readonly Row[]): string {
  const table = new Table({ head: ['', 'unit', '1 worker', '3 workers', '3 to 1'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'left', 'right', 'right', 'right'] });
  for (const { name, unit, one, three, ratio } of rows) table.push([name, unit, spread(one), spread(three), ratio === null ? '' : spread(ratio)]);
  return table.toString();
}

const spread = ({ median, min, max }: Summary): string => (min === max ? figure(median) : `${figure(median)} (${figure(min)} to ${figure(max)})`);

/** Three digits that mean something. */
function figure(value: number): string {
  if (value === 0 || value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
