import { type ExpertKey } from '@essaim/core';

/** Rows that one expert runs. */
export interface ExpertGroup {
  readonly expert: number;
  /** [n, hidden] */
  readonly activations: Float32Array;
}

/** The experts that are loaded in this process. */
export interface ExpertRunner {
  holds(key: ExpertKey): boolean;
  /**
   * Experts of one layer, each at most once, over activations that it neither changes nor keeps; returns one [n, hidden] per group, in the
   * order of the groups, owned by the caller. A row's result depends neither on the other rows nor on the other groups. How the groups are
   * spread over threads is the runner's matter. Fails with `failed_precondition` when it does not hold one of the experts.
   */
  run(layer: number, groups: readonly ExpertGroup[]): Promise<readonly Float32Array[]>;
}
