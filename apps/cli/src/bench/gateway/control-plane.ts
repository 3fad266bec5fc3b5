import { AppError, type ClusterSnapshot } from '@essaim/core';
import { type ControlPlaneApi } from '@essaim/rpc';

/** A control plane that tells its watchers of one placement and of nothing after it. */
export function unchanging(snapshot: ClusterSnapshot): ControlPlaneApi {
  const refuse = (): Promise<never> => Promise.reject(new AppError('unimplemented', 'nobody joins a benchmark'));
  return {
    model: refuse,
    join: refuse,
    report: refuse,
    leave: refuse,
    async *watch(signal) {
      yield snapshot;
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
}
