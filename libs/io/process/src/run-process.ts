import { AppError } from '@essaim/core';
import { tellParent } from './parent.ts';

export interface ProcessOptions {
  /** Runs until it is done or told to stop; then it has drained and closed what it opened. */
  readonly main: (stop: AbortSignal) => Promise<void>;
  /** For the log: with its cause, which the parent never gets. */
  readonly onFailure: (error: AppError) => void;
}

/**
 * The whole life of a process of the cluster. SIGTERM and SIGINT ask it to stop, and so does the end of the process that started it,
 * so that none is ever left behind. A failure is told to the parent in one sentence and ends it with exit code 1.
 */
export async function runProcess({ main, onFailure }: ProcessOptions): Promise<never> {
  const stop = new AbortController();
  const ask = (): void => stop.abort(new AppError('cancelled', 'this process was asked to stop'));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, ask);
  endWithParent();
  try {
    await main(stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) {
      const error = AppError.from(thrown);
      onFailure(error);
      await tellParent({ kind: 'failed', message: error.message });
      process.exitCode = 1;
    }
  }
  // Native libraries keep threads, and with them the process, alive.
  process.exit();
}

/** With its parent gone nobody waits for its answers either. The parent may be gone already, before anyone listened for that. */
function endWithParent(): void {
  const hadParent = process.send !== undefined;
  if (hadParent && !process.connected) process.exit(1);
  process.on('disconnect', () => process.exit(1));
}
