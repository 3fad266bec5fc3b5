import { type WorkerId } from '@essaim/core';
import { matchKeeping } from './match-keeping.ts';
import { type ExpertWorker } from './policy.ts';

export interface LayerWork {
  /** held[expert][worker]: whether the worker holds a copy now. */
  readonly held: readonly (readonly boolean[])[];
  /** quota[worker]: experts that it is to hold, all quotas together `replicas` for each expert. */
  readonly quota: readonly number[];
  /** Copies of each expert, on different workers. */
  readonly replicas: number;
}

/**
 * [expert]: the workers that hold it. Copies are matched to domains first, and within each to its workers: a domain whose workers hold n times
 * as many copies as there are experts gets n of each, or one more. Each time what is held is kept.
 */
export function placeLayer({ held, quota, replicas }: LayerWork, workers: readonly ExpertWorker[]): WorkerId[][] {
  const shares = domainsOf(workers).flatMap((members) => sharesOf(members, sum(members.map((worker) => quota[worker]!)), held.length));
  const byShare = matchKeeping({
    needs: held.map(() => replicas),
    rooms: shares.map(({ room }) => room),
    kept: held.map((holders) => shares.map(({ members, nth }) => copies(holders, members) > nth)),
  });
  const placed = held.map(() => new Set<number>());
  for (const members of new Set(shares.map((share) => share.members))) {
    const pairs = matchKeeping({
      needs: byShare.map((taken) => shares.filter((share, index) => taken[index] && share.members === members).length),
      rooms: members.map((worker) => quota[worker]!),
      kept: held.map((holders) => members.map((worker) => holders[worker]!)),
    });
    pairs.forEach((row, expert) => members.forEach((worker, index) => row[index] && placed[expert]!.add(worker)));
  }
  return placed.map((holders) => workers.filter((_, worker) => holders.has(worker)).map(({ id }) => id));
}

/** At most one copy of each expert, in a domain that may hold several. */
interface Share {
  /** Indices of the domain's workers. */
  readonly members: readonly number[];
  /** Among the shares of the domain. */
  readonly nth: number;
  readonly room: number;
}

/** All but the last have room for every expert, so that no expert has two copies more than another in the domain. */
const sharesOf = (members: readonly number[], room: number, expertCount: number): Share[] =>
  Array.from({ length: Math.ceil(room / expertCount) }, (_, nth) => ({ members, nth, room: Math.min(expertCount, room - nth * expertCount) }));

/** The indices of each domain's workers. */
function domainsOf(workers: readonly ExpertWorker[]): number[][] {
  const domains = new Map<string, number[]>();
  workers.forEach(({ id, domain }, worker) => {
    const key = domain === null ? `worker ${id}` : `domain ${domain}`;
    domains.set(key, [...(domains.get(key) ?? []), worker]);
  });
  return [...domains.values()];
}

const copies = (holders: readonly boolean[], members: readonly number[]): number => members.filter((worker) => holders[worker]).length;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
