/**
 * Tokens of one layer and step that one expert worker must run, each activation once however many of its experts live there.
 * Row r uses the pairs rowOffsets[r] to rowOffsets[r + 1]: experts[p] with the router's weight gates[p], experts ascending.
 */
export interface ExpertBatch {
  readonly step: number;
  readonly layer: number;
  /** 0 for the first try; a reply to an older attempt is dropped. */
  readonly attempt: number;
  readonly epoch: number;
  readonly hiddenSize: number;
  /** [rows, hiddenSize] */
  readonly activations: Float32Array;
  /** [rows + 1] */
  readonly rowOffsets: Uint32Array;
  /** [pairs] */
  readonly experts: Uint32Array;
  /** [pairs] */
  readonly gates: Float32Array;
  /** True: reply one row per token, the weighted sum over its experts. False (deterministic mode): one weighted row per pair. */
  readonly reduce: boolean;
}

/** Someone who runs experts: this process, or a worker at the other end of a stream. */
export interface ExpertPeer {
  /**
   * Returns [rows, hiddenSize], or [pairs, hiddenSize] without reduce, owned by the caller. Settles within LIMITS.expertCallMs.
   * Fails with `unavailable` (peer lost), `resource_exhausted` (too much waits for it or on the way to it), `failed_precondition`
   * (epoch or expert not held here), `deadline_exceeded`, `cancelled`.
   */
  execute(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array>;
}
