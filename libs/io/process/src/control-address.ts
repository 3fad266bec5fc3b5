import { once } from 'node:events';
import { textVariable } from './environment.ts';

/** What a process of the cluster is told by the one that started it, as soon as that is known. */
export interface ParentMessage {
  readonly kind: 'control-plane';
  /** host:port of its gRPC. */
  readonly address: string;
}

/**
 * host:port of the control plane. It is the variable ESSAIM_CONTROL_ADDRESS or, where that is empty, what the process that started this one
 * tells: so the control plane may start at the same time and on any port. Fails with `invalid_argument` where there is neither, and when the signal aborts.
 */
export async function controlAddress(signal: AbortSignal): Promise<string> {
  if (process.env['ESSAIM_CONTROL_ADDRESS'] || !process.connected) return textVariable('ESSAIM_CONTROL_ADDRESS');
  const [{ address }] = (await once(process, 'message', { signal })) as [ParentMessage];
  return address;
}
