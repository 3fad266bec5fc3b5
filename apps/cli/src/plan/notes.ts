import { LIMITS, WEIGHT_DTYPES } from '@essaim/core';
import { formatBytes } from '@essaim/placement';
import { modelSize, type PlanRequest, streamsPerLead } from '@essaim/planning';

/** Keys and values of one sequence lie in one memory that addresses of 32 bits reach. */
const SEQUENCE_BYTES = 2 ** 32;

/** What a reader must know before believing the figures, one sentence each. */
export function notesOf({ model, dtype, topology, load }: PlanRequest): string[] {
  const notes = ['Not calibrated on this hardware: a roofline with assumed efficiencies, in which nothing overlaps and routers choose all experts equally often.'];
  if (!(WEIGHT_DTYPES as readonly string[]).includes(dtype)) notes.push(`The engine does not run ${dtype} yet: it runs ${WEIGHT_DTYPES.join(', ')}.`);
  if (topology.workers.some(({ device }) => device.processor === 'gpu')) notes.push('The engine computes on CPUs: figures of GPUs are those of an engine that does not exist yet.');
  const led = streamsPerLead(load.streams, topology.workers.length);
  if (led > LIMITS.runningSequences) notes.push(`A worker would lead ${led} streams at once, and the engine runs ${LIMITS.runningSequences}: the others would wait.`);
  const sequenceBytes = modelSize(model, dtype).kvBytesPerToken * load.contextTokens;
  if (sequenceBytes > SEQUENCE_BYTES) notes.push(`A stream of ${load.contextTokens} tokens has ${formatBytes(sequenceBytes)} of keys and values, and the engine refuses those of more than ${formatBytes(SEQUENCE_BYTES)}.`);
  if (model.vision) notes.push('Only the text part is counted.');
  return notes;
}
