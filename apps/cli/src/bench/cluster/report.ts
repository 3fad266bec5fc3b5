import Table from 'cli-table3';
import { type Machine } from '../machine.ts';
import { type WORKLOAD } from '../workload.ts';
import { type ExchangeRow } from './exchange.ts';
import { type ModelThroughputRow } from './run-throughput.ts';
import { type EXCHANGE, LINES } from './workload.ts';

/** What one run found out, as the JSON file holds it. */
export interface ClusterResult {
  readonly benchmark: 'cluster';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly workload: typeof EXCHANGE & typeof WORKLOAD;
  /** Empty where only the other part was asked for. */
  readonly exchange: readonly ExchangeRow[];
  readonly throughput: readonly ModelThroughputRow[];
}

/** A row for each size: microseconds of the raw echo, and of each other line how many times that. */
export function exchangeTable(rows: readonly ExchangeRow[]): string {
  const table = new Table({ head: ['', ...LINES], style: { head: [], border: [], compact: true }, colAligns: ['right', ...LINES.map(() => 'right' as const)] });
  for (const [bytes, lines] of Map.groupBy(rows, ({ bytes }) => bytes)) table.push([`${bytes / 1024} KiB`, ...lines.map(cell)]);
  return table.toString();
}

const cell = ({ line, microseconds, ratio }: ExchangeRow): string => `${microseconds.median.toFixed(0)} us${line === 'tcp' ? '' : `, ${ratio.median.toFixed(2)}x`}`;
