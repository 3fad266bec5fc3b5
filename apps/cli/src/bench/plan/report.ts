import Table from 'cli-table3';
import { type Costs } from '@essaim/planning';
import { type Machine } from '../machine.ts';
import { type PlanRow } from './compare-plan.ts';

/** How far from what is measured a prediction may be, as a share of it. */
export const TOLERANCE = 0.25;

/** What a machine's workers cost, by their number. */
export interface CostRow {
  readonly dtype: string;
  readonly workers: number;
  readonly costs: Costs;
}

/** What one run found out, as the JSON file holds it. */
export interface PlanBenchResult {
  readonly benchmark: 'plan';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Seconds of one unit of each term. */
  readonly costs: readonly CostRow[];
  /** Of the models that costs were fitted to, which says how well the formula can follow. */
  readonly rulers: readonly PlanRow[];
  readonly rows: readonly PlanRow[];
}

export function costTable(rows: readonly CostRow[]): string {
  const table = tableOf(['workers', 'dtype', 'GB/s read', 'GFLOP/s', 'us a step', 'us a layer', 'us a row', 'us an answer', 'us a round trip', 'GB/s link'], 2);
  for (const { workers, dtype, costs } of rows) {
    const links = workers === 1 ? ['', ''] : [1e6 * costs.roundTrip, 1e-9 / costs.linkByte].map(figure);
    table.push([`${workers}`, dtype, ...[1e-9 / costs.byte, 1e-9 / costs.flop, 1e6 * costs.step, 1e6 * costs.layer, 1e6 * costs.row, 1e6 * costs.output].map(figure), ...links]);
  }
  return table.toString();
}

export function planTable(rows: readonly PlanRow[]): string {
  const table = tableOf(['model', 'workers', 'what', 'unit', 'predicted', 'measured', 'ratio'], 4);
  for (const { model, workers, asked, unit, predicted, measured, ratio } of rows) table.push([model, `${workers}`, asked, unit, figure(predicted), figure(measured), ratio.toFixed(2)]);
  return table.toString();
}

/** How many predictions are near enough, and which is furthest off. */
export function verdictLine(rows: readonly PlanRow[]): string {
  const distance = ({ ratio }: PlanRow): number => Math.abs(ratio - 1);
  const near = rows.filter((row) => distance(row) <= TOLERANCE).length;
  const worst = rows.reduce((one, other) => (distance(other) > distance(one) ? other : one));
  return `${near} of ${rows.length} predictions are within ${100 * TOLERANCE} % of what was measured; the furthest is ${worst.model}, ${worst.asked} on ${worst.workers}: ${worst.ratio.toFixed(2)} times`;
}

const tableOf = (head: string[], leftColumns: number): Table.Table =>
  new Table({ head, style: { head: [], border: [], compact: true }, colAligns: head.map((_, column) => (column < leftColumns ? 'left' : 'right')) });

/** Three digits that mean something. */
const figure = (value: number): string => new Intl.NumberFormat('en', { maximumSignificantDigits: 3, useGrouping: false }).format(value);
