import { EXPERT_PHASES, LEAD_PHASES, type ExpertPhase, type LeadPhase, type WorkerTimes } from '@essaim/core';
import { type TimesOfWorkers } from './worker-times.ts';

/** Where the time of a load went, in microseconds per token of all answers, mean over the workers. */
export interface Breakdown {
  /** Adds up to the time that the load took, per token: the inverse of the rate of its answers. */
  readonly lead: Readonly<Record<LeadPhase, number>>;
  /** Of the same time, some of it side by side. */
  readonly expert: Readonly<Record<ExpertPhase, number>>;
  /** That each worker led, mean. */
  readonly steps: number;
}

export interface Load {
  /** From the first question to the last token. */
  readonly durationMs: number;
  /** Of all answers. */
  readonly tokens: number;
}

/** From what the workers told before the load and after it. They were idle between telling and the load: of that time only what lies within the load counts. */
export function breakdownOf(before: TimesOfWorkers, after: TimesOfWorkers, { durationMs, tokens }: Load): Breakdown {
  const grown = (of: (times: WorkerTimes) => number): number => {
    const each = [...after].map(([id, times]) => of(times) - (before.has(id) ? of(before.get(id)!) : 0));
    return each.reduce((sum, value) => sum + value, 0) / each.length;
  };
  const lead = byPhase(LEAD_PHASES, (phase) => grown((times) => times.lead[phase]) / tokens);
  const busy = LEAD_PHASES.reduce((sum, phase) => (phase === 'idle' ? sum : sum + lead[phase]), 0);
  return {
    lead: { ...lead, idle: (1_000 * durationMs) / tokens - busy },
    expert: byPhase(EXPERT_PHASES, (phase) => grown((times) => times.expert[phase]) / tokens),
    steps: grown(({ steps }) => steps),
  };
}

/** Over rounds. Means, so that what adds up in each round does so here. */
export function meanBreakdown(rounds: readonly Breakdown[]): Breakdown {
  const mean = (of: (round: Breakdown) => number): number => rounds.reduce((sum, round) => sum + of(round), 0) / rounds.length;
  return {
    lead: byPhase(LEAD_PHASES, (phase) => mean(({ lead }) => lead[phase])),
    expert: byPhase(EXPERT_PHASES, (phase) => mean(({ expert }) => expert[phase])),
    steps: mean(({ steps }) => steps),
  };
}

const byPhase = <Phase extends string>(phases: readonly Phase[], value: (phase: Phase) => number): Record<Phase, number> =>
  Object.fromEntries(phases.map((phase) => [phase, value(phase)])) as Record<Phase, number>;
