import { ServerCredentials } from '@grpc/grpc-js';
import { LIMITS } from '@essaim/core';
import { healthV1, inferenceV1 } from '@essaim/contracts';
import { keyPair, type TlsMaterial } from '../bridge/security.ts';
import { type CallContext } from '../bridge/call-context.ts';
import { type CallFailure, type Handlers } from '../bridge/service.ts';
import { GrpcServer, type ListenAddress } from '../grpc-server.ts';
import { fromWireInferenceRequest, toWireInferenceEvent, toWireModels } from '../mapping/inference.ts';
import { type InferenceApi, type InferenceCall } from '../services.ts';
import { type Health, HealthService } from './health.ts';
import { addReflection } from './reflection.ts';

export interface InferenceServerOptions extends ListenAddress {
  /** Absent: plain text, for loopback or behind something that ends TLS. Clients never need a certificate. */
  readonly tls?: Omit<TlsMaterial, 'caPem'>;
  readonly onFailure?: (failure: CallFailure) => void;
}

export { type Health };

export interface InferenceServer extends Pick<GrpcServer, 'port' | 'address' | 'close'> {
  /** What grpc.health.v1 answers for the server and its service. It starts as 'not_serving'. */
  setHealth(health: Health): void;
}

type Service = typeof inferenceV1.InferenceService;

/** Serves the public API with health and reflection. Fails with `failed_precondition` when the port is taken. */
export async function serveInference(api: InferenceApi, { tls, ...options }: InferenceServerOptions): Promise<InferenceServer> {
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(null, [keyPair(tls)]);
  const health = new HealthService([inferenceV1.InferenceService.typeName]);
  const server = new GrpcServer({ ...options, credentials, receiveBytes: LIMITS.requestBodyBytes })
    .add({ descriptor: inferenceV1.InferenceService, handlers: handlers(api), access: { generate: 'anyone', listModels: 'anyone' } })
    .add(health)
    .addForeign((grpc) => addReflection(grpc, [inferenceV1.InferenceService, healthV1.Health]));
  await server.listen();
  return {
    port: server.port,
    address: server.address,
    setHealth: (state) => health.set(state),
    close: async (grace) => {
      health.set('not_serving');
      await server.close(grace);
    },
  };
}

function handlers(api: InferenceApi): Handlers<Service> {
  return {
    async *generate(request, context) {
      for await (const event of api.generate(fromWireInferenceRequest(request), toCall(context))) yield toWireInferenceEvent(event);
    },
    listModels: async (_request, context) => toWireModels(await api.listModels(toCall(context))),
  };
}

const toCall = ({ signal, metadata }: CallContext): InferenceCall => ({ signal, authorization: metadata('authorization'), requestId: metadata('x-request-id') });
