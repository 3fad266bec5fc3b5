import { type Placement, type Replica, type WorkerId } from '@essaim/core';
import { type Assignment } from '@essaim/placement';

/** What live workers, draining ones included, say they host now, and what they can. */
export interface HostedExperts {
  isLive(worker: WorkerId): boolean;
  hosts(worker: WorkerId, layer: number, expert: number): boolean;
  /** The most experts that a live worker can hold. */
  roomOf(worker: WorkerId): number;
}

export interface RollOut {
  /** Where copies are to be. */
  readonly target: Assignment;
  /** What readers were told last. */
  readonly published: Placement;
  readonly hosted: HostedExperts;
}

/**
 * Why readers may be told of a copy: it is where it is to be; it is to go, but serves until others do; it is to come, and nobody else
 * serves this expert; or it is to come where another serves.
 */
type Kind = 'here' | 'going' | 'needed' | 'coming';

interface Copy extends Replica {
  readonly kind: Kind;
}

/** Who gets the room of a worker first. */
const GENTLE: readonly Kind[] = ['here', 'going', 'needed', 'coming'];
const BREAKING: readonly Kind[] = ['here', 'needed', 'going', 'coming'];

/**
 * What readers are to be told next, on the way from what they were told to the target: make before break. A copy of the target is
 * 'loading' until its worker hosts it. A copy that is no longer wanted but still serves stays until enough wanted ones are ready.
 * What a lost worker held is gone at once.
 *
 * No worker is told to hold more than it has room for, so that a copy may have to wait until another has gone. Where all that nobody
 * serves would wait for what waits itself, it breaks before it makes.
 */
export function rollOut({ target, published, hosted }: RollOut): Placement {
  const copies = target.map((experts, layer) => experts.map((wanted, expert) => copiesOf(wanted, published[layer]?.[expert] ?? [], { hosted, layer, expert })));
  const gentle = withinRoom(copies, hosted, GENTLE);
  return replicasOf(copies, isStuck(copies, gentle) ? withinRoom(copies, hosted, BREAKING) : gentle);
}

function copiesOf(wanted: readonly WorkerId[], told: readonly Replica[], { hosted, layer, expert }: { readonly hosted: HostedExperts; readonly layer: number; readonly expert: number }): Copy[] {
  const isReady = (worker: WorkerId): boolean => hosted.hosts(worker, layer, expert);
  const live = wanted.filter((worker) => hosted.isLive(worker));
  const missing = wanted.length - live.filter(isReady).length;
  const going = told.filter(({ worker, state }) => state === 'ready' && !wanted.includes(worker) && isReady(worker)).slice(0, missing);
  const isServed = going.length > 0 || live.some(isReady);
  const coming = live.map((worker): Copy => (isReady(worker) ? { worker, state: 'ready', kind: 'here' } : { worker, state: 'loading', kind: isServed ? 'coming' : 'needed' }));
  return [...coming, ...going.map((copy): Copy => ({ ...copy, kind: 'going' }))];
}

/** The copies that there is room for, the first kind before the second and so on. */
function withinRoom(copies: readonly (readonly (readonly Copy[])[])[], hosted: HostedExperts, order: readonly Kind[]): ReadonlySet<Copy> {
  const all = copies.flat(2);
  const held = new Map<WorkerId, number>();
  const kept = new Set<Copy>();
  for (const copy of order.flatMap((kind) => all.filter((each) => each.kind === kind))) {
    const count = held.get(copy.worker) ?? 0;
    if (count >= hosted.roomOf(copy.worker)) continue;
    held.set(copy.worker, count + 1);
    kept.add(copy);
  }
  return kept;
}

/** Whether an expert that nobody serves waits, and nothing that loads will make room for it. */
function isStuck(copies: readonly (readonly (readonly Copy[])[])[], kept: ReadonlySet<Copy>): boolean {
  return copies.flat(2).some((copy) => copy.kind === 'needed' && !kept.has(copy)) && ![...kept].some(({ state }) => state === 'loading');
}

const replicasOf = (copies: readonly (readonly (readonly Copy[])[])[], kept: ReadonlySet<Copy>): Placement =>
  copies.map((experts) => experts.map((each) => each.filter((copy) => kept.has(copy)).map(({ worker, state }): Replica => ({ worker, state }))));
