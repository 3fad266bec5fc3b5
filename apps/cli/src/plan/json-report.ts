import { efficiencyOf, MEMORY_SHARE, type Plan, type PlanRequest } from '@essaim/planning';
import { notesOf } from './notes.ts';

/** What programs read; keys are only ever added. Bytes, seconds, tokens. */
export function jsonReport(request: PlanRequest, { size, fit, prediction, smallest }: Plan): object {
  const { model, dtype, kvDtype, topology, load } = request;
  return {
    family: model.family, dtype, kvDtype, cluster: topology.name, load,
    model: { totalWeights: size.totalWeights, activeWeights: size.activeWeights, denseBytes: size.denseBytes, expertBytes: size.expertBytes, kvBytesPerToken: size.kvBytesPerToken },
    fits: fit.kind === 'fits',
    spareBytes: fit.kind === 'fits' ? fit.spareBytes : -fit.missingBytes,
    reason: fit.kind === 'fits' ? fit.degraded : fit.reason,
    workers: fit.workers,
    links: prediction?.traffic.map(({ link, ...traffic }) => ({ kind: link.kind, ...traffic })) ?? null,
    prediction: prediction && { ...prediction.speed, costPerMillionTokens: prediction.costPerMillionTokens },
    smallest, calibrated: topology.measuredWith !== null, assumptions: { efficiency: efficiencyOf(topology), memoryShare: MEMORY_SHARE }, notes: notesOf(request),
  };
}
