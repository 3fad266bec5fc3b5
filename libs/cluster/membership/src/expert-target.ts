import { roomForExperts, type WorkerId } from '@essaim/core';
import { type Assignment, type ExpertWorker, type PlacementPolicy, type PlacementResult } from '@essaim/placement';
import { byExpert } from './by-expert.ts';
import { type ClusterPlan } from './cluster-plan.ts';
import { type Member } from './member.ts';
import { howToFit } from './shortage.ts';

/** Where experts are to be, for the workers that are there; placed anew whenever those change. */
export class ExpertTarget {
  readonly #plan: ClusterPlan;
  readonly #policy: PlacementPolicy;
  #assignment: Assignment | null = null;
  /** The workers of the latest attempt, so that an unchanged cluster is not solved again. */
  #attempted: string | null = null;

  constructor(plan: ClusterPlan, policy: PlacementPolicy) {
    this.#plan = plan;
    this.#policy = policy;
  }

  /** Null until the first success. It may name workers that are gone since. */
  get assignment(): Assignment | null {
    return this.#assignment;
  }

  /** Places experts on the members that host experts and stay. Null when nothing changed since the last time. */
  update(members: readonly Member[]): PlacementResult | null {
    const hosts = members.filter(({ registration, state }) => registration.roles.expert && state !== 'draining');
    const workers = hosts.map(workerOf);
    const attempt = JSON.stringify(workers);
    if (attempt === this.#attempted) return null;
    this.#attempted = attempt;
    const previous = this.#assignment ?? hostedNow(members, this.#plan);
    const result = this.#place(workers, previous);
    if (result.kind === 'refused') return { ...result, reason: this.#explain(result, hosts) };
    this.#assignment = result.assignment;
    return result;
  }

  /** As many copies as asked for; a cluster that served before and lost memory takes fewer rather than none. */
  #place(workers: readonly ExpertWorker[], previous: Assignment): PlacementResult {
    const { replicas } = this.#plan;
    const asked = this.#placeRouted(workers, previous, replicas);
    if (asked.kind === 'placed' || this.#assignment === null) return asked;
    for (let fewer = replicas - 1; fewer > 0; fewer--) {
      const result = this.#placeRouted(workers, previous, fewer);
      if (result.kind === 'placed') return { ...result, degraded: `only ${fewer} of ${replicas} copies of each expert are placed: ${asked.reason}` };
    }
    return asked;
  }

  /** A policy knows routed layers only. */
  #placeRouted(workers: readonly ExpertWorker[], previous: Assignment, replicas: number): PlacementResult {
    const { layerCount, denseLayerCount, expertCount } = this.#plan;
    const result = this.#policy({ layerCount: layerCount - denseLayerCount, expertCount, workers, previous: previous.slice(denseLayerCount), replicas });
    if (result.kind === 'refused' || expertCount === 0) return result;
    return { ...result, assignment: [...Array.from({ length: denseLayerCount }, () => []), ...result.assignment] };
  }

  #explain({ reason, missing }: Extract<PlacementResult, { readonly kind: 'refused' }>, hosts: readonly Member[]): string {
    if (missing === 0) return `${reason}: start one`;
    const { replicas, model: { dtype } } = this.#plan;
    return `${reason}; ${howToFit(hosts.map(({ registration }) => registration), { missing, replicas, dtype })}`;
  }
}

const workerOf = ({ registration: { id, device, needs } }: Member): ExpertWorker => ({ id, room: roomForExperts(device.memoryBytes, needs), domain: device.card?.nvlinkDomain ?? null });

/** After a restart of the control plane the workers know where experts are. */
function hostedNow(members: readonly Member[], plan: ClusterPlan): Assignment {
  const holders = byExpert<WorkerId[]>(plan, () => []);
  for (const { registration, report } of members) {
    for (const { layer, expert } of report?.hosted ?? []) holders[layer]?.[expert]?.push(registration.id);
  }
  return holders;
}
