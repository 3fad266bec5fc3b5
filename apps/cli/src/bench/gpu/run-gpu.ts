import { AppError } from '@essaim/core';
import { askProbe, CARD_SIZES, chooseDevice, type DeviceRates, type HostDevice, listDevices, SOFTWARE_SIZES, type TestedDevice } from '@essaim/devices';
import { PROBE_ENTRY } from '../../devices/probe-entry.ts';
import { listenForInterruption } from '../../up/interruption.ts';
import { openStateFolder } from '../../up/state-folder.ts';
import { describeCommit, describeMachine, type Machine } from '../machine.ts';
import { type BenchOptions } from '../options.ts';
import { type Progress, progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { type Findings, type ModelRow, type Omission, type RivalNote } from './findings.ts';
import { measureModel } from './measure-model.ts';
import { findRivals } from './peers/find-rivals.ts';
import { cardLine, modelLines, rateTable } from './report.ts';
import { type GpuRow, gpuRows, medianRates } from './rows.ts';

/** What one run found out, as the JSON file holds it. */
interface GpuResult {
  readonly benchmark: 'gpu';
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  /** Null without a card. */
  readonly device: Pick<HostDevice, 'provider' | 'index' | 'adapter' | 'driver' | 'memoryBytes'> | null;
  readonly rows: readonly GpuRow[];
  /** What models on it do. */
  readonly models: readonly ModelRow[];
  /** What ran beside them. */
  readonly rivals: readonly RivalNote[];
  /** What of it there is no row for. */
  readonly omissions: readonly Omission[];
}

interface Run {
  readonly options: BenchOptions;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** `essaim bench gpu`: what a card gives a model at most, and what models on it do. Without one it says so, and the tables stay empty. Fails once all is told where something of it went wrong. */
export async function runGpuBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  try {
    const { models, omissions } = await benchCard({ options, progress: progressOn(process.stderr), stop: interruption.stop });
    const failed = omissions.filter(({ kind }) => kind === 'failed').length;
    if (failed > 0) throw new AppError('unavailable', `${failed} of the measurements above failed, and ${models.length} rows were measured`);
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  }
}

/** Prints each model's table as soon as it is complete; the JSON file holds all models so far. */
async function benchCard(run: Run): Promise<GpuResult> {
  const { options: { rounds, device: choice, jsonFile } } = run;
  const [machine, commit] = [describeMachine(), describeCommit()];
  const { device, sentence } = chooseDevice(choice, await listDevices(PROBE_ENTRY));
  const isCard = device.provider !== 'cpu';
  let result: GpuResult = { benchmark: 'gpu', commit, machine, rounds, device: isCard ? facts(device) : null, rows: [], models: [], rivals: [], omissions: [] };
  const keep = (more: Partial<GpuResult>): void => {
    result = { ...result, ...more };
    if (jsonFile !== null) writeJson(jsonFile, result);
  };
  print(machineLine(machine, commit), isCard ? cardLine(device) : `There is no card to measure here: this host ${sentence}.`);
  keep({});
  if (!isCard) return result;
  const measured = await measureRates(device, run);
  keep({ rows: gpuRows(measured) });
  print(rateTable(result.rows));
  for await (const [model, { rows, rivals, omissions }] of measureModels(device, medianRates(measured), run)) {
    keep({ models: [...result.models, ...rows], rivals: [...result.rivals, ...rivals], omissions: [...result.omissions, ...omissions] });
    print(...modelLines(model, { rows, rivals, omissions }));
  }
  return result;
}

async function* measureModels(device: TestedDevice, rates: DeviceRates, { options, progress, stop }: Run): AsyncGenerator<readonly [string, Findings]> {
  // Two benchmarks at a time would measure each other: the folder's lock keeps the second out.
  const folder = openStateFolder(options.folder, 'cluster');
  try {
    const rivals = findRivals(options, { device, folder: folder.path, progress });
    for (const name of options.models) yield [name, await measureModel(name, { device, rates, rivals, options, folder: folder.path, progress, stop })];
  } finally {
    folder.close();
  }
}

async function measureRates({ provider, index, kind, f16, environment }: TestedDevice, { options: { rounds }, progress, stop }: Run): Promise<DeviceRates[]> {
  const measured: DeviceRates[] = [];
  while (measured.length < rounds && provider !== 'cpu') {
    stop.throwIfAborted();
    progress.note(`gpu, round ${measured.length + 1} of ${rounds}`);
    const request = { kind: 'rates', device: { provider, index }, sizes: kind === 'software' ? SOFTWARE_SIZES : CARD_SIZES, f16: f16 ?? false } as const;
    measured.push(await askProbe(request, { entry: PROBE_ENTRY, environment }));
  }
  return measured;
}

const facts = ({ provider, index, adapter, driver, memoryBytes }: TestedDevice): GpuResult['device'] => ({ provider, index, adapter, driver, memoryBytes });

const print = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
