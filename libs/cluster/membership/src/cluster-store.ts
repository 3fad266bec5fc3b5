/** What outlives the control plane's process. */
export interface ClusterRecord {
  readonly clusterId: string;
  /** The highest epoch that was ever committed; 0 in a new cluster. */
  readonly epoch: number;
}

/** Keeps epochs rising over restarts, and over control planes that believe they are alone. */
export interface ClusterStore {
  /** The cluster's record; a new cluster takes the proposed id. */
  open(proposedId: string): Promise<ClusterRecord>;
  /**
   * Resolves when the epoch is durable; only then may it be published. Fails with `aborted` unless it is higher than every committed
   * one: another control plane has gone further. Fails with `unavailable` when it can't be written; then it may be tried again.
   */
  commitEpoch(epoch: number): Promise<void>;
  close(): Promise<void>;
}
