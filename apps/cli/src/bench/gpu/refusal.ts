import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, LIMITS } from '@essaim/core';
import { deviceName, type TestedDevice } from '@essaim/devices';
import { openCheckpointFolder } from '@essaim/files';
import { expertPieces } from '@essaim/graph';
import { assertRoom } from '@essaim/placement';
import { type UpOptions } from '../../up/options.ts';
import { workerMemoryBytes } from '../../up/worker-memory.ts';
import { type GpuForm } from './forms.ts';

/** Why the only worker of a card would refuse a model, in one sentence, before minutes are spent on compiling it; null where it takes it. */
export async function refusalOf({ provider, index, f16, adapter, memoryBytes, tensorBytes }: TestedDevice, { dtype, compute }: GpuForm, { model, devices, kvMemoryMib, runningSequences }: UpOptions): Promise<string | null> {
  const device = deviceName({ provider, index });
  if (compute === 'f16' && f16 === false) return `the device ${device} (${adapter}) does not compute in float16`;
  const share = devices[0]!.memoryBytes ?? workerMemoryBytes(devices.length);
  const room = { kvBytes: kvMemoryMib * 2 ** 20, tensorBytes, stepRows: LIMITS.stepTokens, sequences: runningSequences };
  const { deviceNeeds } = await import('@essaim/runtime');
  const checkpoint = await openCheckpoint(openCheckpointFolder(model.directory));
  const { spec, weights } = checkpoint;
  try {
    const needs = deviceNeeds({ spec, weights, dtype, compute, tensorBytes }, room);
    assertRoom({ device, memoryBytes: Math.min(share, memoryBytes ?? Infinity), needs, dtype }, expertPieces(spec).length);
    return null;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'resource_exhausted') return thrown.message;
    throw thrown;
  } finally {
    await checkpoint.close();
  }
}
