import { ChannelCredentials } from '@grpc/grpc-js';
import { LIMITS } from '@essaim/core';
import { inferenceV1 } from '@essaim/contracts';
import { Channel } from '../bridge/channel.ts';
import { type Connection } from '../control-plane/connect.ts';
import { fromWireInferenceEvent, fromWireModels, toWireInferenceRequest } from '../mapping/inference.ts';
import { type InferenceApi, type InferenceCall } from '../services.ts';

export interface InferenceConnectionOptions {
  /** The authority that signed the gateway's certificate; absent: plain text. */
  readonly caPem?: string;
}

const LIST_TIMEOUT_MS = 10_000;

/** The public API from afar. */
export function connectInference(address: string, { caPem }: InferenceConnectionOptions = {}): InferenceApi & Connection {
  const channel = new Channel(address, caPem === undefined ? ChannelCredentials.createInsecure() : ChannelCredentials.createSsl(Buffer.from(caPem)));
  const { generate, listModels } = inferenceV1.InferenceService.method;
  return {
    address,
    async *generate(request, call) {
      const events = channel.serverStream(generate, toWireInferenceRequest(request), { ...outgoing(call), timeoutMs: LIMITS.generationMs });
      for await (const event of events) yield fromWireInferenceEvent(event);
    },
    listModels: async (call) => fromWireModels(await channel.unary(listModels, {}, { ...outgoing(call), timeoutMs: LIST_TIMEOUT_MS })),
    close: () => channel.close(),
  };
}

const outgoing = ({ signal, authorization, requestId }: InferenceCall): { signal: AbortSignal; metadata: Record<string, string> } => ({
  signal,
  metadata: { ...(authorization === null ? {} : { authorization }), ...(requestId === null ? {} : { 'x-request-id': requestId }) },
});
