import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '@essaim/core';
import { type DeviceChoice } from '@essaim/devices';
import { type QuantisedDtype } from '@essaim/quantise';
import { resolveOptions, type UpOptions } from '../up/options.ts';
import { type WorkerDevice } from '../up/worker-devices.ts';
import { GPU_FORMS, type GpuFormName } from './gpu/forms.ts';
import { GPU_LOADS, type GpuLoadName } from './gpu/loads.ts';
import { RIVAL_NAMES, type RivalName } from './gpu/peers/rival-names.ts';
import { METRICS, type PeerMetricName } from './peer/metrics.ts';
import { SHAPE_NAMES, type ShapeName } from './shapes/models.ts';

export const BENCH_MODELS = ['built-in', 'synthetic'] as const;
/** Of the benchmark `gpu`: a card also has a model of several gigabytes. */
export const GPU_MODELS = [...BENCH_MODELS, 'synthetic-large'] as const;
export type BenchModelName = (typeof GPU_MODELS)[number];

/** Of the benchmark `cluster`. */
export const CLUSTER_PARTS = ['exchange', 'throughput'] as const;
export type ClusterPart = (typeof CLUSTER_PARTS)[number];

/** What commander hands over, each value parsed alone. */
export interface BenchFlags {
  readonly rounds: number;
  readonly model: BenchModelName | ShapeName | 'all';
  readonly dtype: QuantisedDtype;
  readonly experts: number;
  readonly device: DeviceChoice;
  readonly json?: string;
  /** Of the benchmark's table. */
  readonly rows?: readonly string[];
  readonly forms?: readonly string[];
  readonly beside?: readonly string[];
  readonly python: string;
  readonly part?: ClusterPart;
  readonly threadsPerWorker?: number;
  readonly stateDir?: string;
}

/** Computing threads of each worker. */
export interface Threads {
  /** Of the one worker. */
  readonly one: number;
  /** Of each of the three. */
  readonly three: number;
}

export interface BenchOptions {
  readonly rounds: number;
  readonly models: readonly BenchModelName[];
  /** Of the benchmark `shapes`, which has models of its own, and in which form and with how many experts they run. */
  readonly shapes: readonly ShapeName[];
  readonly dtype: QuantisedDtype;
  readonly experts: number;
  /** Of the benchmark `gpu`. */
  readonly device: DeviceChoice;
  readonly threads: Threads;
  /** Of the comparison with the peer, in any order; null for all. */
  readonly metrics: readonly PeerMetricName[] | null;
  /** What `gpu` asks a model, in any order; null for everything. */
  readonly loads: readonly GpuLoadName[] | null;
  /** In which it does so. */
  readonly forms: readonly GpuFormName[];
  /** What is measured beside Essaim, and the Python that has transformers: a command of the path, or a file. */
  readonly rivals: readonly RivalName[];
  readonly python: string;
  /** Of the benchmark `cluster`. */
  readonly parts: readonly ClusterPart[];
  /** Absolute; null for none. */
  readonly jsonFile: string | null;
  /** Absolute. Everything that a benchmark writes lies below it, but for the JSON file. */
  readonly folder: string;
}

const SIDES = { one: 1, three: 3 } as const;
export type Side = keyof typeof SIDES;
export const workersOf = (side: Side): number => SIDES[side];

/** Fails with `invalid_argument` for a model or a row that the benchmark does not measure. */
export function resolveBenchOptions(benchmark: string, { rounds, model, dtype, experts, device, json, rows, forms, beside, python, part, threadsPerWorker, stateDir }: BenchFlags): BenchOptions {
  const { stateDirectory } = upOptions(stateDir === undefined ? {} : { stateDir });
  return {
    rounds,
    ...modelsOf(benchmark, model),
    dtype,
    experts,
    device,
    threads: threadsOf(availableParallelism(), threadsPerWorker),
    metrics: benchmark === 'peer' && rows !== undefined ? known(rows, METRICS) : null,
    loads: benchmark === 'gpu' && rows !== undefined ? known(rows, GPU_LOADS) : null,
    forms: forms === undefined ? GPU_FORMS.map(({ name }) => name) : known(forms, GPU_FORMS, 'form'),
    rivals: rivalsIn(beside),
    python,
    parts: part === undefined ? CLUSTER_PARTS : [part],
    jsonFile: json === undefined ? null : writableFile(json),
    folder: join(stateDirectory, 'bench'),
  };
}

function modelsOf(benchmark: string, model: BenchFlags['model']): Pick<BenchOptions, 'models' | 'shapes'> {
  const [models, shapes] = benchmark === 'shapes' ? [[], SHAPE_NAMES] : [benchmark === 'gpu' ? GPU_MODELS : BENCH_MODELS, []];
  if (model === 'all') return { models, shapes };
  const chosen = { models: models.filter((name) => name === model), shapes: shapes.filter((name) => name === model) };
  if (chosen.models.length + chosen.shapes.length > 0) return chosen;
  throw new AppError('invalid_argument', `the benchmark ${benchmark} does not measure ${model}: its models are ${[...models, ...shapes].join(' and ')}`);
}

/** The same number of threads on both sides where there are cores enough for three workers; on fewer cores the single worker has as many as there are. */
export function threadsOf(cores: number, perWorker?: number): Threads {
  if (perWorker !== undefined) return { one: 3 * perWorker, three: perWorker };
  const three = Math.max(1, Math.floor(cores / 3));
  return { one: Math.min(cores, 3 * three), three };
}

export interface ClusterFlags {
  readonly model?: string;
  readonly modelId?: string;
  readonly dtype?: UpOptions['model']['dtype'];
  readonly computeDtype?: UpOptions['computeDtype'];
  readonly workers?: number;
  readonly threadsPerWorker?: number;
  /** MiB. */
  readonly kvMemory?: number;
  readonly kvDtype?: UpOptions['kvDtype'];
  readonly runningSequences?: number;
  readonly stateDir?: string;
}

/** Options of a cluster on free ports of this machine, never in deterministic mode; on the processor unless devices are named. */
export function upOptions(flags: ClusterFlags, devices?: readonly WorkerDevice[]): UpOptions {
  const ports = { httpPort: 0, grpcPort: 0, adminPort: 0, controlPort: 0 };
  const options = resolveOptions({ workers: 1, replicas: 1, device: { kind: 'named', provider: 'cpu', index: 0 }, host: '127.0.0.1', maxTokens: 1, temperature: 0, quiet: true, ...ports, ...flags }, devices === undefined ? {} : { devices });
  return { ...options, model: { ...options.model, deterministic: false } };
}

/** Names with commas between them. */
export const namesIn = (text: string): string[] => text.split(',').map((each) => each.trim());

/** Fails with `invalid_argument` for a name that nothing has. */
function known<Name extends string>(names: readonly string[], named: readonly { readonly name: Name }[], what = 'row'): Name[] {
  return names.map((name) => {
    const found = named.find((each) => each.name === name);
    if (found === undefined) throw new AppError('invalid_argument', `there is no ${what} '${name}': the ${what}s are ${named.map((each) => each.name).join(', ')}`);
    return found.name;
  });
}

/** All, unless some are named, or `none`. */
function rivalsIn(names: readonly string[] | undefined): readonly RivalName[] {
  if (names === undefined) return RIVAL_NAMES;
  const engines = [...RIVAL_NAMES, 'none'] as const;
  return known(names, engines.map((name) => ({ name })), 'engine').filter((name) => name !== 'none');
}

/** Before an hour of measuring, not after it. */
function writableFile(json: string): string {
  const file = resolve(json);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new AppError('invalid_argument', `the folder ${folder} does not exist: create it, or give --json a file elsewhere`);
  if (existsSync(file) && !statSync(file).isFile()) throw new AppError('invalid_argument', `${file} is not a file: give --json the name of one`);
  return file;
}
