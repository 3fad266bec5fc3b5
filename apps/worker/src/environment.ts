import { COMPUTE_DTYPES, type ComputeDtype, KV_DTYPES, type KvDtype, LIMITS, type ModelRef, workerId, type WorkerId } from '@essaim/core';
import { type DeviceChoice, parseDeviceChoice } from '@essaim/devices';
import { choiceVariable, controlAddress, flagVariable, modelVariables, parsedVariable, portVariable, readTlsFiles, textVariable, type TlsFiles, wholeVariable } from '@essaim/process';
import { ACTIVATION_DTYPES, type ActivationDtype } from '@essaim/rpc';

/** What the first placement will say, where whoever starts a whole cluster knows it before there is a control plane. */
export interface Expectation {
  readonly model: ModelRef;
  /** Of the cluster, this one included. */
  readonly workers: number;
  /** Of each expert. */
  readonly replicas: number;
}

/** What a worker is told by whoever starts it. What it serves it learns from the control plane. */
export interface WorkerEnvironment {
  readonly id: WorkerId;
  /** Where it listens; port 0 for any free one. */
  readonly host: string;
  readonly port: number;
  /** host:port, once the control plane listens. Rejects when the worker is told to stop before. */
  readonly controlAddress: Promise<string>;
  /** Null for a worker that waits for the control plane to say what to do. */
  readonly expected: Expectation | null;
  readonly threads: number;
  readonly device: DeviceChoice;
  /** What it multiplies matrices in; the processor's kernels know float32 alone. */
  readonly computeDtype: ComputeDtype;
  /** Bytes that weights and KV may take. */
  readonly memoryBytes: number;
  /** Of these, for keys and values. */
  readonly kvMemoryBytes: number;
  /** Whether it may be less, where what is expected of this worker would not fit beside it. */
  readonly kvMemoryShrinks: boolean;
  /** How these are kept. */
  readonly kvDtype: KvDtype;
  /** How its activations travel to other workers, outside deterministic mode. */
  readonly wireDtype: ActivationDtype;
  /** Sequences of a step. */
  readonly runningSequences: number;
  /** Tokens that a sequence may guess in a step; 0 for none. */
  readonly draftTokens: number;
  readonly stateFolder: string;
  readonly tls: TlsFiles;
}

/** Fails with `invalid_argument` naming the variable that is missing or wrong. */
export function readEnvironment(stop: AbortSignal): WorkerEnvironment {
  const address = controlAddress(stop);
  // Whoever waits for it hears of it.
  address.catch(() => undefined);
  return {
    id: workerId(textVariable('ESSAIM_WORKER_ID')),
    host: textVariable('ESSAIM_WORKER_HOST'),
    port: portVariable('ESSAIM_WORKER_PORT'),
    controlAddress: address,
    expected: readExpectation(),
    threads: wholeVariable('ESSAIM_THREADS_PER_WORKER', { from: 1, to: 1024 }),
    device: parsedVariable('ESSAIM_DEVICE', parseDeviceChoice),
    computeDtype: choiceVariable('ESSAIM_COMPUTE_DTYPE', COMPUTE_DTYPES),
    memoryBytes: wholeVariable('ESSAIM_WORKER_MEMORY_BYTES', { from: 1, to: Number.MAX_SAFE_INTEGER }),
    kvMemoryBytes: wholeVariable('ESSAIM_KV_MEMORY', { from: 1, to: 2 ** 30 }) * 2 ** 20,
    kvMemoryShrinks: flagVariable('ESSAIM_KV_MEMORY_SHRINKS'),
    kvDtype: choiceVariable('ESSAIM_KV_DTYPE', KV_DTYPES),
    wireDtype: choiceVariable('ESSAIM_WIRE_DTYPE', ACTIVATION_DTYPES),
    runningSequences: wholeVariable('ESSAIM_RUNNING_SEQUENCES', { from: 1, to: LIMITS.mostRunningSequences }),
    draftTokens: wholeVariable('ESSAIM_SPECULATE', { from: 0, to: LIMITS.draftTokens }),
    stateFolder: textVariable('ESSAIM_STATE_DIR'),
    tls: readTlsFiles(),
  };
}

/** `essaim up` tells its workers all that it tells the control plane. */
function readExpectation(): Expectation | null {
  if (process.env['ESSAIM_EXPECTED_WORKERS'] === undefined) return null;
  return { model: modelVariables(), workers: wholeVariable('ESSAIM_EXPECTED_WORKERS', { from: 1, to: 1024 }), replicas: wholeVariable('ESSAIM_REPLICAS', { from: 1, to: 1024 }) };
}
