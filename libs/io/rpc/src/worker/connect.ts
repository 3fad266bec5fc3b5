import { workerV1 } from '@essaim/contracts';
import { type ActivationDtype, DEFAULT_ACTIVATION_DTYPE } from '../activations/form.ts';
import { Channel } from '../bridge/channel.ts';
import { peerChannelCredentials } from '../bridge/security.ts';
import { type Connection, type PeerConnectionOptions } from '../control-plane/connect.ts';
import { fromWireSequenceEvent, toWireSequenceRequest } from '../mapping/sequence.ts';
import { type ExpertApi, type LeadApi } from '../services.ts';
import { type Timed, untimed } from '../timed.ts';
import { ExpertStream } from './expert-stream.ts';

/** How much later than the worker's own deadline the call's comes, so that the worker's sentence wins. */
const DEADLINE_MARGIN_MS = 1_000;

export interface WorkerConnectionOptions extends PeerConnectionOptions {
  /** How activations travel, both ways, unless the worker can't read it. Default: DEFAULT_ACTIVATION_DTYPE. */
  readonly wireDtype?: ActivationDtype;
  /** Runs what turns expert calls into bytes, and answers back. Default: without timing it. */
  readonly timed?: Timed;
}

/** A worker from afar, for gateways (`generate`) and leads (`execute`). Connects when first used, again when lost; fails with `unavailable` meanwhile. */
export function connectWorker(address: string, { tls, wireDtype = DEFAULT_ACTIVATION_DTYPE, timed = untimed }: WorkerConnectionOptions): LeadApi & ExpertApi & Connection {
  const channel = new Channel(address, peerChannelCredentials(tls, { address, role: 'worker' }));
  const experts = new ExpertStream(channel, { dtype: wireDtype, timed });
  const { generate } = workerV1.WorkerService.method;
  return {
    address,
    async *generate(request, signal) {
      const events = channel.serverStream(generate, toWireSequenceRequest(request), { signal, timeoutMs: request.timeoutMs + DEADLINE_MARGIN_MS });
      for await (const event of events) yield fromWireSequenceEvent(event);
    },
    execute: (batch, signal) => experts.execute(batch, signal),
    close: () => {
      experts.close();
      channel.close();
    },
  };
}
