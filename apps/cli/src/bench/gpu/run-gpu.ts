import Table from 'cli-table3';
import { AppError } from '@essaim/core';
import { askProbe, CARD_SIZES, type ChosenDevice, chooseDevice, deviceName, type DeviceRates, type HostDevice, listDevices, SOFTWARE_SIZES } from '@essaim/devices';
import { PROBE_ENTRY } from '../../devices/probe-entry.ts';
import { listenForInterruption } from '../../up/interruption.ts';
import { describeCommit, describeMachine, type Machine } from '../machine.ts';
import { type BenchOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { measureModels, type ModelRow } from './measure-model.ts';
import { type GpuRow, gpuRows } from './rows.ts';

/** What one run found out, as the JSON file holds it. */
interface GpuResult {
  readonly benchmark: 'gpu';
  readonly commit: string;
  readonly machine: Machine;
  /** Null without a card. */
  readonly device: Pick<HostDevice, 'provider' | 'index' | 'adapter' | 'driver' | 'memoryBytes'> | null;
  readonly rows: readonly GpuRow[];
  /** What models on it do. */
  readonly models: readonly ModelRow[];
}

/** `essaim bench gpu`: what a card gives a model at most, and what models on it do. Without one it says so, and the tables stay empty. */
export async function runGpuBench(options: BenchOptions): Promise<void> {
  const { rounds, jsonFile, device: choice } = options;
  using interruption = listenForInterruption();
  const { device, sentence } = chooseDevice(choice, await listDevices(PROBE_ENTRY));
  const isCard = device.provider !== 'cpu';
  const [machine, commit] = [describeMachine(), describeCommit()];
  const print = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
  print(machineLine(machine, commit), isCard ? cardLine(device) : `There is no card to measure here: this host ${sentence}.`);
  const rows = isCard ? gpuRows(await measure(device, rounds, interruption.stop)) : [];
  if (isCard) print(tableOf(rows));
  const copyBytesPerSecond = 1e9 * (rows.find(({ name }) => name === 'copy')?.median ?? NaN);
  const models = isCard ? await measureModels(options, { device, copyBytesPerSecond, progress: progressOn(process.stderr), stop: interruption.stop }) : [];
  if (isCard) print('', modelTable(models));
  if (jsonFile !== null) writeJson(jsonFile, { benchmark: 'gpu', commit, machine, device: isCard ? facts(device) : null, rows, models } satisfies GpuResult);
}

type Card = ChosenDevice['device'];

async function measure({ provider, index, kind, f16, environment }: Card, rounds: number, stop: AbortSignal): Promise<DeviceRates[]> {
  const progress = progressOn(process.stderr);
  const measured: DeviceRates[] = [];
  while (measured.length < rounds && provider !== 'cpu') {
    if (stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured');
    progress.note(`gpu, round ${measured.length + 1} of ${rounds}`);
    const request = { kind: 'rates', device: { provider, index }, sizes: kind === 'software' ? SOFTWARE_SIZES : CARD_SIZES, f16: f16 ?? false } as const;
    measured.push(await askProbe(request, { entry: PROBE_ENTRY, environment }));
  }
  return measured;
}

const facts = ({ provider, index, adapter, driver, memoryBytes }: Card): GpuResult['device'] => ({ provider, index, adapter, driver, memoryBytes });

const cardLine = (device: Card): string => `${deviceName(device)}: ${device.adapter}, driver ${device.driver ?? 'unknown'}${device.kind === 'software' ? ', a software adapter: figures mean nothing' : ''}`;

function tableOf(rows: readonly GpuRow[]): string {
  const table = new Table({ head: ['', 'median', 'min', 'max', ''], style: { head: [], border: [], compact: true }, colAligns: ['left', 'right', 'right', 'right', 'left'] });
  for (const { name, unit, median, min, max } of rows) table.push([name, ...[median, min, max].map((value) => value.toPrecision(3)), unit]);
  return table.toString();
}

function modelTable(rows: readonly ModelRow[]): string {
  const table = new Table({ head: ['model', '', 'median', 'min', 'max', '', 'of copy rate'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'left', 'right', 'right', 'right', 'left', 'right'] });
  for (const { model, dtype, name, unit, median, min, max, shareOfCopyRate: share } of rows) {
    table.push([`${model}, ${dtype}`, name, ...[median, min, max].map((value) => value.toPrecision(3)), unit, share === null ? '' : `${(100 * share).toFixed(0)} %`]);
  }
  return table.toString();
}
