import { expertCount, isRouted, type ModelSpec, type Placement, type Replica, workerId, type WorkerId } from '@essaim/core';

export interface PlacementOptions {
  readonly workers: number;
  readonly replicas: number;
  /** Workers that host experts: the first so many. Default: all. */
  readonly hosts?: number;
  /** Another shuffle for each number. */
  readonly seed: number;
}

export const testWorkerId = (index: number): WorkerId => workerId(`w${index + 1}`);

/** Every expert on `replicas` different workers, drawn by the seed: lopsided on purpose, as no policy would place them. */
export function spreadExperts(spec: ModelSpec, { workers, hosts = workers, replicas, seed }: PlacementOptions): Placement {
  const random = mulberry32(seed);
  const draw = (): Replica[] => {
    const left = Array.from({ length: hosts }, (_, index) => index);
    return Array.from({ length: replicas }, () => ({ worker: testWorkerId(left.splice(Math.floor(random() * left.length), 1)[0]!), state: 'ready' as const }));
  };
  if (expertCount(spec) === 0) return [];
  return Array.from({ length: spec.layerCount }, (_, layer) => (isRouted(spec, layer) ? Array.from({ length: expertCount(spec) }, draw) : []));
}

/** A small seeded generator of numbers in [0, 1): mulberry32, public domain, by Tommy Ettinger. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
