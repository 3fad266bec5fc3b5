import { LIMITS } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { type DuplexHandler } from '../bridge/duplex.ts';
import { peerServerCredentials } from '../bridge/security.ts';
import { type Access, accessUnder, type Handlers } from '../bridge/service.ts';
import { type FrameCodec } from '../bridge/service-definition.ts';
import { type PeerServerOptions } from '../control-plane/serve.ts';
import { GrpcServer } from '../grpc-server.ts';
import { decodeLeadFrame, type LeadFrame } from '../frames/lead-frame.ts';
import { encodeWorkerFrame, type WorkerFrame } from '../frames/worker-frame.ts';
import { fromWireSequenceRequest, toWireSequenceEvent } from '../mapping/sequence.ts';
import { type LeadApi } from '../services.ts';
import { type Timed, untimed } from '../timed.ts';
import { answerExpertCalls, type ExpertHost } from './answer-expert-calls.ts';

export interface WorkerApi extends ExpertHost {
  readonly lead: LeadApi;
}

type Service = typeof workerV1.WorkerService;

const ACCESS: Access<Service> = { generate: ['gateway'], execute: ['worker'] };

/** Serves both faces of a worker on one port. Fails with `failed_precondition` when the port is taken, or without certificates beyond loopback. */
export async function serveWorker(api: WorkerApi, { tls, ...options }: PeerServerOptions): Promise<GrpcServer> {
  const server = new GrpcServer({ ...options, credentials: peerServerCredentials(tls, options.host), receiveBytes: LIMITS.frameBytes });
  return server.add({ descriptor: workerV1.WorkerService, handlers: handlers(api), access: accessUnder(tls, ACCESS) }).listen();
}

function handlers(api: WorkerApi): Handlers<Service> {
  return {
    async *generate(request, { signal }) {
      for await (const event of api.lead.generate(fromWireSequenceRequest(request), signal)) yield toWireSequenceEvent(event);
    },
    execute: { codec: frameCodec(api.timed ?? untimed), answer: (duplex, context) => answerExpertCalls(api, duplex, context) } satisfies DuplexHandler<LeadFrame, WorkerFrame>,
  };
}

const frameCodec = (timed: Timed): FrameCodec<LeadFrame, WorkerFrame> =>
  ({ decode: (bytes) => timed(() => decodeLeadFrame(bytes)), encode: (frame) => timed(() => encodeWorkerFrame(frame)) });
