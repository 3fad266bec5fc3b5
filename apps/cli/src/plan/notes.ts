import { LIMITS, WEIGHT_DTYPES } from '@essaim/core';
import { type PlanRequest, streamsPerLead } from '@essaim/planning';

/** What a reader must know before believing the figures, one sentence each. */
export function notesOf({ model, dtype, topology, load }: PlanRequest): string[] {
  const notes = [calibrationNote(dtype, topology.measuredWith), 'Nothing overlaps in these times, and routers choose all experts equally often.'];
  if (!(WEIGHT_DTYPES as readonly string[]).includes(dtype)) notes.push(`The engine does not run ${dtype} yet: it runs ${WEIGHT_DTYPES.join(', ')}.`);
  if (topology.workers.some(({ device }) => device.processor === 'gpu')) notes.push('The engine computes on CPUs: figures of GPUs are those of an engine that does not exist yet.');
  const led = streamsPerLead(load.streams, topology.workers.length);
  if (led > LIMITS.runningSequences) notes.push(`A worker would lead ${led} streams at once, and runs ${LIMITS.runningSequences} of them unless --running-sequences says more: the others would wait.`);
  if (model.vision) notes.push('Only the text part is counted.');
  return notes;
}

function calibrationNote(dtype: string, measuredWith: string | null): string {
  if (measuredWith === null) return 'Not calibrated on this hardware: data sheets with assumed efficiencies, and nothing for what steps, layers, rows and answers take besides.';
  const differs = measuredWith === dtype ? '' : `; ${dtype} reads and multiplies at other rates`;
  return `Calibrated: the topology's figures were measured with ${measuredWith} weights${differs}.`;
}
