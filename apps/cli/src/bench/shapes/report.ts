import Table from 'cli-table3';
import { type Machine } from '../machine.ts';
import { type Summary } from '../statistics.ts';
import { type ShapeFigures, type ShapePart } from './measure.ts';
import { CONTEXTS, PROMPT_ROWS } from './times.ts';

/** What one run found out, as the JSON file holds it. */
export interface ShapesResult {
  readonly benchmark: 'shapes';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly threads: number;
  readonly shapes: readonly ShapeFigures[];
}

export function shapesTable({ parts }: ShapeFigures): string {
  const head = ['', 'weights, MB', 'pack, s', 'load, s', ...CONTEXTS.map((context) => `1 row at ${context}, ms`), `${PROMPT_ROWS} rows, ms`, 'off by, %'];
  const table = new Table({ head, style: { head: [], border: [], compact: true }, colAligns: ['left', ...head.slice(1).map(() => 'right' as const)] });
  for (const part of parts) table.push(line(part));
  return table.toString();
}

function line({ name, weightBytes, packSeconds, loadSeconds, rowMs, promptMs, error }: ShapePart): string[] {
  const rows = CONTEXTS.map((context) => figure(rowMs.find((row) => row.context === context)?.ms));
  return [name, (weightBytes / 1e6).toFixed(0), packSeconds.toFixed(2), loadSeconds.toFixed(2), ...rows, figure(promptMs), (100 * error).toFixed(2)];
}

const figure = (ms: Summary | undefined): string => (ms === undefined ? '' : ms.median.toFixed(ms.median < 10 ? 2 : 0));

/** Of the whole process. */
export function memoryLine({ peakPackingBytes, peakBytes }: ShapeFigures): string {
  const gigabytes = (bytes: number | null): string => (bytes === null ? 'unknown' : `${(bytes / 1e9).toFixed(2)} GB`);
  return `highest memory of the process: ${gigabytes(peakPackingBytes)} while packing, ${gigabytes(peakBytes)} in all`;
}
