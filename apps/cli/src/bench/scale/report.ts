import Table from 'cli-table3';
import { type Machine } from '../machine.ts';
import { type Growth, type ScaleRow } from './rows.ts';

/** What one run found out, as the JSON file holds it. */
export interface ScaleResult {
  readonly benchmark: 'scale';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly rows: readonly ScaleRow[];
  readonly growth: readonly Growth[];
}

export function scaleTable(rows: readonly ScaleRow[]): string {
  const table = new Table({ head: ['', 'active tokens', 'ns per token', 'min', 'max'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'right', 'right', 'right', 'right'] });
  for (const { name, tokens, median, min, max } of rows) table.push([name, tokens, median.toFixed(0), min.toFixed(0), max.toFixed(0)]);
  return table.toString();
}

export const growthLine = ({ name, median, min, max }: Growth): string => `${name}: a token costs ${median.toFixed(2)} times as much among 10,000 as among 100 (${min.toFixed(2)} to ${max.toFixed(2)})`;
