import Table from 'cli-table3';
import { type FunctionTime, ownTimes } from './cpu-profile.ts';

const ROWS = 20;

/** The functions that took most of the time in which the thread was not idle. */
export function profileTable(json: unknown): string {
  const busy = ownTimes(json).filter(({ name }) => name !== '(idle)');
  const total = busy.reduce((sum, { ms }) => sum + ms, 0);
  const table = new Table({ head: ['own time', 'share', 'function'], style: { head: [], border: [], compact: true }, colAligns: ['right', 'right', 'left'] });
  for (const { name, ms } of busy.slice(0, ROWS)) table.push([`${ms.toFixed(0)} ms`, share({ name, ms }, total), name]);
  return table.toString();
}

const share = ({ ms }: FunctionTime, total: number): string => `${((100 * ms) / total).toFixed(1)} %`;
