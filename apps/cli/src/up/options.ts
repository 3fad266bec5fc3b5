import { availableParallelism, homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { AppError, type ComputeDtype, defaultKvDtype, type KvDtype, LIMITS, type ModelRef, type WeightDtype, type WeightPrecision } from '@essaim/core';
import { flagVariable } from '@essaim/process';
import { type ActivationDtype, DEFAULT_ACTIVATION_DTYPE } from '@essaim/rpc/activations';
import { BUILT_IN_DTYPE, defaultDtype } from '../default-dtype.ts';
import { packageRoot } from '../package-root.ts';
import { type DeviceFlags, processors, type WorkerDevice } from './worker-devices.ts';
import { limitMemory, resolveKvMemory } from './worker-memory.ts';

/** What commander hands over, each value parsed alone. */
export interface UpFlags extends DeviceFlags {
  readonly model?: string;
  readonly modelId?: string;
  readonly dtype?: WeightDtype;
  readonly deterministic?: true;
  readonly replicas: number;
  readonly threadsPerWorker?: number;
  readonly computeDtype?: ComputeDtype;
  readonly workerMemory?: number;
  readonly kvMemory?: number;
  readonly kvDtype?: KvDtype;
  readonly wireDtype?: ActivationDtype;
  readonly runningSequences?: number;
  readonly speculate?: number;
  readonly stateDir?: string;
  readonly host: string;
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly adminPort?: number;
  readonly controlPort?: number;
  readonly prompt?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed?: bigint;
  readonly json?: true;
  readonly quiet?: true;
}

/** Each 0 for any free port. */
export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly admin: number;
  readonly control: number;
}

export interface OneShot {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: bigint | null;
}

/** What `up` is to do, every default decided. */
export interface UpOptions {
  readonly model: ModelRef;
  readonly workers: number;
  readonly replicas: number;
  /** Of each worker. */
  readonly devices: readonly WorkerDevice[];
  /** What cards multiply matrices in. */
  readonly computeDtype: ComputeDtype;
  readonly threadsPerWorker: number;
  /** MiB of each worker for keys and values. */
  readonly kvMemoryMib: number;
  /** Whether workers may take less for these where experts would not fit beside them: nobody asked for so much. */
  readonly kvMemoryShrinks: boolean;
  /** How these are kept. */
  readonly kvDtype: KvDtype;
  /** How activations travel between workers. */
  readonly wireDtype: ActivationDtype;
  /** Sequences that a lead runs together in a step. */
  readonly runningSequences: number;
  /** Tokens that an answer may guess in a step; 0 for none. */
  readonly draftTokens: number;
  /** Absolute. */
  readonly stateDirectory: string;
  readonly host: string;
  readonly ports: Ports;
  /** Null to stay up. */
  readonly oneShot: OneShot | null;
  readonly output: 'text' | 'json';
  readonly quiet: boolean;
  /** Absolute: where the first worker writes CPU profiles when it ends. Absent for none. */
  readonly profileFolder?: string;
}

const DEFAULT_PORTS: Ports = { http: 8000, grpc: 8001, admin: 8080, control: 8081 };
const ANY_FREE_PORTS: Ports = { http: 0, grpc: 0, admin: 0, control: 0 };

/** What was looked up before options can be resolved. */
export interface Found {
  /** What the checkpoint stores, which decides in what form its weights run unless a flag does. Default: floats. */
  readonly precision?: WeightPrecision;
  /** Of each worker. Default: the processor. */
  readonly devices?: readonly WorkerDevice[];
}

export function resolveOptions(given: UpFlags, { precision = 'float', devices: found = processors(given.workers) }: Found = {}): UpOptions {
  const devices = limitMemory(given.workerMemory, found);
  const flags = { ...given, workers: devices.length };
  if (flags.replicas > flags.workers) {
    throw new AppError('invalid_argument', `--replicas ${flags.replicas} needs as many workers, and --workers is ${flags.workers}: raise --workers or lower --replicas`);
  }
  const model = resolveModel(flags, precision);
  return {
    model,
    workers: flags.workers,
    replicas: flags.replicas,
    devices,
    computeDtype: resolveComputeDtype(flags.computeDtype, devices),
    threadsPerWorker: flags.threadsPerWorker ?? Math.max(1, Math.floor(availableParallelism() / flags.workers)),
    kvMemoryMib: resolveKvMemory(flags.kvMemory, devices),
    kvMemoryShrinks: flags.kvMemory === undefined,
    kvDtype: resolveKvDtype(flags.kvDtype, model.dtype, devices),
    wireDtype: flags.wireDtype ?? DEFAULT_ACTIVATION_DTYPE,
    runningSequences: flags.runningSequences ?? LIMITS.runningSequences,
    draftTokens: flags.speculate ?? 0,
    stateDirectory: resolve(flags.stateDir ?? join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'essaim')),
    host: flags.host,
    ports: resolvePorts(flags),
    oneShot: flags.prompt === undefined ? null : { prompt: flags.prompt, maxTokens: flags.maxTokens, temperature: flags.temperature, seed: flags.seed ?? null },
    output: flags.json ? 'json' : 'text',
    quiet: flags.quiet ?? false,
  };
}

/** The kernels of the processor know float32 alone; whether a card has float16 its worker finds out. */
function resolveComputeDtype(asked: ComputeDtype = 'f32', devices: readonly WorkerDevice[]): ComputeDtype {
  if (asked === 'f16' && devices.some(({ name }) => name === 'cpu')) throw new AppError('invalid_argument', '--compute-dtype f16 is for cards, and a worker computes on cpu: leave it out or choose another --device');
  return asked;
}

/** Cards keep keys and values as float32 alone. */
function resolveKvDtype(asked: KvDtype | undefined, dtype: WeightDtype, devices: readonly WorkerDevice[]): KvDtype {
  const card = devices.find(({ name }) => name !== 'cpu');
  if (card === undefined) return asked ?? defaultKvDtype(dtype);
  if (asked !== undefined && asked !== 'f32') throw new AppError('invalid_argument', `--kv-dtype ${asked} is for the processor, and a worker computes on ${card.name}: leave it out`);
  return 'f32';
}

/** Absolute. */
const builtInModel = (): string => join(packageRoot(), 'deploy', 'models', 'petit');

/** Absolute; null for the built-in model. */
export function givenModel({ model }: UpFlags): string | null {
  const directory = resolve(model ?? builtInModel());
  return directory === builtInModel() ? null : directory;
}

function resolveModel(flags: UpFlags, precision: WeightPrecision): ModelRef {
  const given = givenModel(flags);
  const directory = given ?? builtInModel();
  return {
    id: flags.modelId ?? basename(directory),
    directory,
    dtype: flags.dtype ?? (given === null ? BUILT_IN_DTYPE : defaultDtype(precision)),
    deterministic: flags.deterministic ?? flagVariable('ESSAIM_DETERMINISTIC'),
  };
}

/** A one-shot cluster takes free ports, so that it runs beside one that stays up. */
function resolvePorts(flags: UpFlags): Ports {
  const fallback = flags.prompt === undefined ? DEFAULT_PORTS : ANY_FREE_PORTS;
  const ports: Ports = {
    http: flags.httpPort ?? fallback.http,
    grpc: flags.grpcPort ?? fallback.grpc,
    admin: flags.adminPort ?? fallback.admin,
    control: flags.controlPort ?? fallback.control,
  };
  const fixed = Object.entries(ports).filter(([, port]) => port !== 0);
  for (const [name, port] of fixed) {
    const twin = fixed.find(([other, value]) => other !== name && value === port);
    if (twin) throw new AppError('invalid_argument', `--${name}-port and --${twin[0]}-port are both ${port}: give each its own`);
  }
  return ports;
}
