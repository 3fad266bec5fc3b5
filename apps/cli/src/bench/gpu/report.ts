import { styleText } from 'node:util';
import Table from 'cli-table3';
import { deviceName, type HostDevice } from '@essaim/devices';
import { type Summary } from '../statistics.ts';
import { type Findings, type ModelRow, type Omission, type RivalNote } from './findings.ts';
import { ENGINE } from './model-rows.ts';
import { RIVAL_NAMES } from './peers/rival-names.ts';
import { type GpuRow } from './rows.ts';

const STYLE = { head: [], border: [], compact: true };

export const cardLine = (device: HostDevice): string => `${deviceName(device)}: ${device.adapter}, driver ${device.driver ?? 'unknown'}${device.kind === 'software' ? ', a software adapter: figures mean nothing' : ''}`;

export function rateTable(rows: readonly GpuRow[]): string {
  const table = new Table({ head: ['', 'median', 'min', 'max', ''], style: STYLE, colAligns: ['left', 'right', 'right', 'right', 'left'] });
  for (const { name, unit, median, min, max } of rows) table.push([name, ...[median, min, max].map((value) => value.toPrecision(3)), unit]);
  return table.toString();
}

/** What became of one model: its rows, and a line for each reason why others are missing. */
export function modelLines(model: string, { rows, rivals, omissions }: Findings): string[] {
  return ['', styleText('bold', model), ...(rows.length > 0 ? [modelTable(rows)] : []), ...rivalLines(rivals), ...omissionLines(omissions)];
}

function modelTable(rows: readonly ModelRow[]): string {
  const rivals = RIVAL_NAMES.filter((rival) => rows.some(({ beside }) => beside[rival] !== undefined));
  const head = ['', '', 'tokens/s', 'of copy', 'of product', 'step, ms', 'device', 'host', 'transfer', ...rivals.flatMap((rival) => [rival, 'ratio'])];
  const table = new Table({ head, style: STYLE, colAligns: ['left', 'left', ...head.slice(2).map(() => 'right' as const)] });
  for (const { engine, form, name, shares, step, beside, ...summary } of rows) {
    const times = step === null ? ['', '', '', ''] : [step.stepMs, step.deviceMs, step.hostMs, step.transferMs].map(figure);
    const others = rivals.flatMap((rival) => (beside[rival] === undefined ? ['', ''] : [figure(beside[rival].median), spread(beside[rival].ratio)]));
    table.push([subject(engine, form), name, spread(summary), percent(shares.ofCopyRate), percent(shares.ofProductRate), ...times, ...others]);
  }
  return table.toString();
}

/** What is the same beside several forms is one line. */
const rivalLines = (rivals: readonly RivalNote[]): string[] =>
  [...Map.groupBy(rivals, ({ about }) => about)].map(([about, alike]) => `beside ${alike.map(({ form }) => form).join(', ')}: ${about}`);

/** What the card refuses for the same reason is one line. */
function omissionLines(omissions: readonly Omission[]): string[] {
  const whats = Map.groupBy(omissions, ({ kind, reason }) => `${kind === 'failed' ? 'failed' : 'not measured'}: ${reason}`);
  return [...whats].map(([why, alike]) => `${alike.map(({ engine, form, name }) => `${subject(engine, form)}${name === null ? '' : ` ${name}`}`).join(', ')} ${why}`);
}

/** Others are named by what they were measured beside. */
const subject = (engine: string, form: string): string => (engine === ENGINE ? `Essaim ${form}` : `${engine} beside ${form}`);

const spread = ({ median, min, max }: Summary): string => (min === max ? figure(median) : `${figure(median)} (${figure(min)} to ${figure(max)})`);

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

const percent = (share: number | null): string => (share === null ? '' : `${(100 * share).toFixed(0)} %`);
