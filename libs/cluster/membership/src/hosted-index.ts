import { roomForExperts, type WorkerId } from '@essaim/core';
import { type Member } from './member.ts';
import { type HostedExperts } from './roll-out.ts';

/** The members' reports, made fast to ask. */
export class HostedIndex implements HostedExperts {
  readonly #experts: ReadonlyMap<WorkerId, ReadonlySet<string>>;
  readonly #rooms: ReadonlyMap<WorkerId, number>;

  constructor(members: readonly Member[]) {
    this.#experts = new Map(members.map(({ registration, report }) => [registration.id, new Set(report?.hosted.map(({ layer, expert }) => `${layer}/${expert}`))]));
    this.#rooms = new Map(members.map(({ registration: { id, device, needs } }) => [id, roomForExperts(device.memoryBytes, needs)]));
  }

  isLive(worker: WorkerId): boolean {
    return this.#experts.has(worker);
  }

  hosts(worker: WorkerId, layer: number, expert: number): boolean {
    return this.#experts.get(worker)?.has(`${layer}/${expert}`) ?? false;
  }

  roomOf(worker: WorkerId): number {
    return this.#rooms.get(worker) ?? 0;
  }
}
