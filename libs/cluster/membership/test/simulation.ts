import fc from 'fast-check';
import { type ClusterSnapshot, hostedExperts, type LeaseId, workerId } from '@essaim/core';
import { placeExperts } from '@essaim/placement';
import { type ClusterEvent, type ClusterPlan, ClusterState } from '../src/index.ts';
import { countedLeases, needsFor, PLAN, registration, report } from './samples.ts';

/** A step passes so little time that it publishes at most once. */
export interface Step {
  readonly kind: 'join' | 'load' | 'drain' | 'pass';
  readonly worker: number;
  readonly ms: number;
}

export const histories: fc.Arbitrary<Step[]> = fc.array(fc.record({ kind: fc.constantFrom('join', 'load', 'load', 'drain', 'pass', 'pass', 'pass'), worker: fc.integer({ min: 1, max: 4 }), ms: fc.nat(500) }), { maxLength: 120, size: 'max' });

/** Workers that do at once what the snapshot says, on a clock that only this test moves. */
export class Simulation {
  readonly state: ClusterState;
  readonly leases = new Map<string, LeaseId>();
  readonly events: ClusterEvent[] = [];
  nowMs = 0;
  /** Experts that a worker has room for. */
  readonly #room: number;

  constructor(plan: Partial<ClusterPlan> = {}, { epoch = 0, room = 99 }: { readonly epoch?: number; readonly room?: number } = {}) {
    this.#room = room;
    this.state = new ClusterState({ record: { clusterId: 'c', epoch }, plan: { ...PLAN, ...plan }, policy: placeExperts, newLeaseId: countedLeases(), startedAtMs: 0 });
  }

  get published(): ClusterSnapshot {
    return this.state.published!;
  }

  join(...ids: string[]): this {
    for (const id of ids) this.leases.set(id, this.state.join(registration(id, { needs: needsFor(this.#room) }), this.nowMs).id);
    return this.publish();
  }

  /** The worker has loaded all that the published snapshot gives it. */
  load(...ids: string[]): this {
    for (const id of ids) this.report(id, { hosted: this.state.published ? hostedExperts(this.published, workerId(id)) : [] });
    return this;
  }

  report(id: string, changes: Parameters<typeof report>[1]): this {
    this.events.push(...this.state.report(report(this.leases.get(id)!, changes), this.nowMs));
    return this.publish();
  }

  pass(ms: number): this {
    for (let restMs = ms; restMs > 0; restMs -= 500) {
      this.nowMs += Math.min(restMs, 500);
      this.publish();
    }
    return this;
  }

  /** One step; nothing is heard of a worker that is not there. */
  take({ kind, worker, ms }: Step): this {
    const id = `w${worker}`;
    if (kind === 'join') return this.join(id);
    if (kind === 'pass') return this.pass(ms);
    const isLive = this.state.members.some((member) => member.registration.id === id && member.expiresAtMs > this.nowMs);
    if (!isLive) return this;
    return this.report(id, { state: kind === 'drain' ? 'draining' : 'ready', hosted: this.state.published ? hostedExperts(this.published, workerId(id)) : [] });
  }

  publish(): this {
    this.events.push(...this.state.advance(this.nowMs));
    const next = this.state.next();
    if (next) this.state.commit(next);
    return this;
  }

  /** 'w1 ready' and so on for one expert. */
  replicas(layer = 0, expert = 0): string[] {
    return this.published.placement[layer]![expert]!.map(({ worker, state }) => `${worker} ${state}`);
  }
}
