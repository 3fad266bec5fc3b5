import Table from 'cli-table3';
import { type Machine } from '../machine.ts';
import { type Summary } from '../statistics.ts';
import { type LatencyRow } from './rows.ts';
import { type WORKLOAD } from './workload.ts';

/** What one run found out, as the JSON file holds it. */
export interface LatencyResult {
  readonly benchmark: 'latency';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly threads: number;
  readonly workload: typeof WORKLOAD;
  /** Of the machine, in the last minute. */
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly rows: readonly ({ readonly model: string } & LatencyRow)[];
}

const HEAD = ['', 'median before, ms', 'median, ms', 'p99, ms', 'p99 to its median', 'p99 to median before', 'at most', 'lasted, s', 'waits'];

/** Medians of the rounds, with the smallest and the largest where there are several. */
export function latencyTable(rows: readonly LatencyRow[]): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true }, colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'] });
  for (const { name, before, median, p99, toMedian, toBefore, target, lasted, waits } of rows) {
    table.push([name, spread(before), spread(median), spread(p99), spread(toMedian), spread(toBefore), target === null ? '' : `${target.atMost} x ${target.of}`, spread(lasted, 1000), waits]);
  }
  return table.toString();
}

const spread = ({ median, min, max }: Summary, unit = 1): string => (min === max ? figure(median / unit) : `${figure(median / unit)} (${figure(min / unit)} to ${figure(max / unit)})`);

const figure = (value: number): string => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
