/** Time as an argument, so that a test can own it. Monotonic milliseconds; never a date. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `durationMs`; rejects with the signal's reason when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
