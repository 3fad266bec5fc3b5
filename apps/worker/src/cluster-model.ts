import { AppError, type Clock, type ErrorCode, type ModelRef } from '@essaim/core';
import { type ControlPlaneApi } from '@essaim/rpc';
import { type Logger } from '@essaim/telemetry';

/** Between two attempts to reach a control plane that is away. */
const RETRY_MS = 250;
const AWAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unavailable', 'deadline_exceeded']);

/** What the cluster serves, as soon as its control plane is there to say so. Fails when told to stop, or when it will never say. */
export async function askForModel(control: Pick<ControlPlaneApi, 'model'>, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }, stop: AbortSignal): Promise<ModelRef> {
  for (;;) {
    try {
      return await control.model(stop);
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === 'unimplemented') throw new AppError('failed_precondition', 'the control plane is of an older version than this worker: start a worker of its version', { cause: error });
      if (!AWAY.has(error.code)) throw error;
      logger.warn({ error }, 'the control plane could not be asked what it serves; trying again');
      await clock.sleep(RETRY_MS, stop);
    }
  }
}
