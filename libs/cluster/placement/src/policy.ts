import { type WorkerId } from '@essaim/core';

/** A live worker as a policy sees it. */
export interface ExpertWorker {
  readonly id: WorkerId;
  /** The most experts that it can hold. */
  readonly room: number;
  /** The island of fast links that it is on; null for a worker by itself. */
  readonly domain: string | null;
}

/** assignment[layer][expert]: the workers that are to hold a copy, ascending by id. Empty for a dense model. */
export type Assignment = readonly (readonly (readonly WorkerId[])[])[];

export interface PlacementRequest {
  /** In any order; each id once. */
  readonly workers: readonly ExpertWorker[];
  /** Routed ones: layers here are counted from the first that has experts. */
  readonly layerCount: number;
  /** Of each layer. */
  readonly expertCount: number;
  /** Copies of each expert, 1 or more. */
  readonly replicas: number;
  /** Where copies lie now, so that few move. It may name workers that are gone. */
  readonly previous: Assignment | null;
}

export type PlacementResult =
  | {
      readonly kind: 'placed';
      readonly assignment: Assignment;
      /** One sentence when experts have fewer copies than asked for, since there are fewer workers; else null. */
      readonly degraded: string | null;
    }
  | { readonly kind: 'refused'; /** What does not suffice; a sentence, but for its end. */ readonly reason: string; /** Copies that nobody has room for; 0 where there is nobody. */ readonly missing: number };

/** Pure: no clock, no randomness; the same request gives the same result, whatever the order of its workers. */
export type PlacementPolicy = (request: PlacementRequest) => PlacementResult;
