import { KV_DTYPES, type KvDtype, LIMITS, workerId, type WorkerId } from '@essaim/core';
import { type DeviceChoice, parseDeviceChoice } from '@essaim/devices';
import { choiceVariable, controlAddress, parsedVariable, portVariable, readTlsFiles, textVariable, type TlsFiles, wholeVariable } from '@essaim/process';
import { ACTIVATION_DTYPES, type ActivationDtype } from '@essaim/rpc';

/** What a worker is told by whoever starts it. What it serves it learns from the control plane. */
export interface WorkerEnvironment {
  readonly id: WorkerId;
  /** Where it listens; port 0 for any free one. */
  readonly host: string;
  readonly port: number;
  /** host:port */
  readonly controlAddress: string;
  readonly threads: number;
  readonly device: DeviceChoice;
  /** Bytes that weights and KV may take. */
  readonly memoryBytes: number;
  /** Of these, for keys and values. */
  readonly kvMemoryBytes: number;
  /** How these are kept. */
  readonly kvDtype: KvDtype;
  /** How its activations travel to other workers, outside deterministic mode. */
  readonly wireDtype: ActivationDtype;
  /** Tokens that a sequence may guess in a step; 0 for none. */
  readonly draftTokens: number;
  readonly stateFolder: string;
  readonly tls: TlsFiles;
}

/** Waits for the control plane's address where a process that started this one is to tell it. Fails with `invalid_argument` naming the variable that is missing or wrong. */
export const readEnvironment = async (stop: AbortSignal): Promise<WorkerEnvironment> => ({
  id: workerId(textVariable('ESSAIM_WORKER_ID')),
  host: textVariable('ESSAIM_WORKER_HOST'),
  port: portVariable('ESSAIM_WORKER_PORT'),
  controlAddress: await controlAddress(stop),
  threads: wholeVariable('ESSAIM_THREADS_PER_WORKER', { from: 1, to: 1024 }),
  device: parsedVariable('ESSAIM_DEVICE', parseDeviceChoice),
  memoryBytes: wholeVariable('ESSAIM_WORKER_MEMORY_BYTES', { from: 1, to: Number.MAX_SAFE_INTEGER }),
  kvMemoryBytes: wholeVariable('ESSAIM_KV_MEMORY', { from: 1, to: 2 ** 30 }) * 2 ** 20,
  kvDtype: choiceVariable('ESSAIM_KV_DTYPE', KV_DTYPES),
  wireDtype: choiceVariable('ESSAIM_WIRE_DTYPE', ACTIVATION_DTYPES),
  draftTokens: wholeVariable('ESSAIM_SPECULATE', { from: 0, to: LIMITS.draftTokens }),
  stateFolder: textVariable('ESSAIM_STATE_DIR'),
  tls: readTlsFiles(),
});
