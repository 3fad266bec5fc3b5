import { type MessageInitShape } from '@bufbuild/protobuf';
import { DEVICE_COUNTS, EXPERT_PHASES, LEAD_PHASES, type WorkerTimes } from '@essaim/core';
import { type clusterV1 } from '@essaim/contracts';
import { toNumber } from './fields.ts';

export const toWireTimes = ({ lead, expert, device, steps }: WorkerTimes): MessageInitShape<typeof clusterV1.WorkerTimesSchema> =>
  ({ lead: toWireCounts(LEAD_PHASES, lead), expert: toWireCounts(EXPERT_PHASES, expert), device: toWireCounts(DEVICE_COUNTS, device), steps: BigInt(steps) });

/** A worker of an older version tells none, or not all: what it doesn't tell stays zero. */
export const fromWireTimes = (times: clusterV1.WorkerTimes | undefined): WorkerTimes => ({
  lead: fromWireCounts(LEAD_PHASES, times?.lead), expert: fromWireCounts(EXPERT_PHASES, times?.expert), device: fromWireCounts(DEVICE_COUNTS, times?.device),
  steps: toNumber(times?.steps ?? 0n, 'times.steps'),
});

const toWireCounts = <Name extends string>(names: readonly Name[], counts: Readonly<Record<Name, number>>): Record<Name, bigint> =>
  Object.fromEntries(names.map((name) => [name, BigInt(counts[name])])) as Record<Name, bigint>;

const fromWireCounts = <Name extends string>(names: readonly Name[], counts: Readonly<Record<Name, bigint>> | undefined): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, toNumber(counts?.[name] ?? 0n, `times.${name}`)])) as Record<Name, number>;
