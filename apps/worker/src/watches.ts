import { Durations, EXPERT_PHASES, type ExpertPhase, LEAD_PHASES, type LeadPhase, PhaseTimes } from '@essaim/core';
import { systemClock } from '@essaim/telemetry';

/** Where this worker's time goes, from now on. */
export interface Watches {
  readonly lead: PhaseTimes<LeadPhase>;
  readonly expert: Durations<ExpertPhase>;
}

export const startWatches = (): Watches => ({ lead: new PhaseTimes(LEAD_PHASES, 'idle', systemClock), expert: new Durations(EXPERT_PHASES, systemClock) });
