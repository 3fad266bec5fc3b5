import { type ExpertKey } from '@essaim/core';

/** The experts that are loaded in this process. */
export interface ExpertRunner {
  holds(key: ExpertKey): boolean;
  /**
   * One expert over `activations` [n, hidden], which it neither changes nor keeps; returns [n, hidden], owned by the caller. A row's result
   * does not depend on the other rows. Several experts may be asked for at once; how many run side by side is the runner's to bound.
   */
  run(key: ExpertKey, activations: Float32Array): Promise<Float32Array>;
}
