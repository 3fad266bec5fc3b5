import Table from 'cli-table3';
import { type Machine } from '../machine.ts';
import { type GatewayRow } from './rows.ts';
import { type WORKLOAD } from './workload.ts';

/** What one run found out, as the JSON file holds it. */
export interface GatewayResult {
  readonly benchmark: 'gateway';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly workload: typeof WORKLOAD;
  readonly rows: readonly GatewayRow[];
}

export function gatewayTable(rows: readonly GatewayRow[]): string {
  const table = new Table({ head: ['', 'unit', 'median', 'min', 'max', 'at most'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'left', 'right', 'right', 'right', 'right'] });
  for (const { name, unit, median, min, max, target } of rows) table.push([name, unit, figure(median), figure(min), figure(max), target ?? '']);
  return table.toString();
}

const figure = (value: number): string => value.toFixed(Math.abs(value) >= 10 ? 0 : 2);
