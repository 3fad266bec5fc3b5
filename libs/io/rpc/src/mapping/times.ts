import { type MessageInitShape } from '@bufbuild/protobuf';
import { EXPERT_PHASES, LEAD_PHASES, type Microseconds, type WorkerTimes } from '@essaim/core';
import { type clusterV1 } from '@essaim/contracts';
import { toNumber } from './fields.ts';

export const toWireTimes = ({ lead, expert, steps }: WorkerTimes): MessageInitShape<typeof clusterV1.WorkerTimesSchema> =>
  ({ lead: toWirePhases(LEAD_PHASES, lead), expert: toWirePhases(EXPERT_PHASES, expert), steps: BigInt(steps) });

/** A worker of an older version tells none: its times stay zero. */
export const fromWireTimes = (times: clusterV1.WorkerTimes | undefined): WorkerTimes =>
  ({ lead: fromWirePhases(LEAD_PHASES, times?.lead), expert: fromWirePhases(EXPERT_PHASES, times?.expert), steps: toNumber(times?.steps ?? 0n, 'times.steps') });

const toWirePhases = <Phase extends string>(phases: readonly Phase[], spent: Microseconds<Phase>): Record<Phase, bigint> =>
  Object.fromEntries(phases.map((phase) => [phase, BigInt(spent[phase])])) as Record<Phase, bigint>;

const fromWirePhases = <Phase extends string>(phases: readonly Phase[], spent: Readonly<Record<Phase, bigint>> | undefined): Microseconds<Phase> =>
  Object.fromEntries(phases.map((phase) => [phase, toNumber(spent?.[phase] ?? 0n, `times.${phase}`)])) as Microseconds<Phase>;
