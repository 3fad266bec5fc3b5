import { styleText } from 'node:util';
import Table from 'cli-table3';
import { deviceName, type HostDevice } from '@essaim/devices';
import { type Summary } from '../statistics.ts';
import { type Findings, type ModelRow, type Omission } from './findings.ts';
import { type GpuRow } from './rows.ts';

/** As people write them. */
const ENGINES: Readonly<Record<string, string>> = { essaim: 'Essaim' };
const STYLE = { head: [], border: [], compact: true };

export const cardLine = (device: HostDevice): string => `${deviceName(device)}: ${device.adapter}, driver ${device.driver ?? 'unknown'}${device.kind === 'software' ? ', a software adapter: figures mean nothing' : ''}`;

export function rateTable(rows: readonly GpuRow[]): string {
  const table = new Table({ head: ['', 'median', 'min', 'max', ''], style: STYLE, colAligns: ['left', 'right', 'right', 'right', 'left'] });
  for (const { name, unit, median, min, max } of rows) table.push([name, ...[median, min, max].map((value) => value.toPrecision(3)), unit]);
  return table.toString();
}

/** What became of one model: its rows, and a line for each reason why others are missing. */
export function modelLines(model: string, { rows, omissions }: Findings): string[] {
  return ['', styleText('bold', model), ...(rows.length > 0 ? [modelTable(rows)] : []), ...omissionLines(omissions)];
}

function modelTable(rows: readonly ModelRow[]): string {
  const table = new Table({ head: ['', '', 'tokens/s', 'of copy', 'of product', 'step, ms', 'device', 'host', 'transfer'], style: STYLE, colAligns: ['left', 'left', ...Array<'right'>(7).fill('right')] });
  for (const { engine, form, name, shares, step, ...summary } of rows) {
    const times = step === null ? ['', '', '', ''] : [step.stepMs, step.deviceMs, step.hostMs, step.transferMs].map(figure);
    table.push([subject(engine, form), name, spread(summary), percent(shares.ofCopyRate), percent(shares.ofProductRate), ...times]);
  }
  return table.toString();
}

/** What the card refuses for the same reason is one line. */
function omissionLines(omissions: readonly Omission[]): string[] {
  const whats = Map.groupBy(omissions, ({ kind, reason }) => `${kind === 'failed' ? 'failed' : 'not measured'}: ${reason}`);
  return [...whats].map(([why, alike]) => `${alike.map(({ engine, form, name }) => `${subject(engine, form)}${name === null ? '' : ` ${name}`}`).join(', ')} ${why}`);
}

const subject = (engine: string, form: string): string => `${ENGINES[engine] ?? engine} ${form}`;

const spread = ({ median, min, max }: Summary): string => (min === max ? figure(median) : `${figure(median)} (${figure(min)} to ${figure(max)})`);

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

const percent = (share: number | null): string => (share === null ? '' : `${(100 * share).toFixed(0)} %`);
