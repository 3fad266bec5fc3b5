import { performance } from 'node:perf_hooks';
import { assert, GREEDY, requestId, sequenceId } from '@essaim/core';
import { type InferenceApi, type LeadApi } from '@essaim/rpc';
import { type StreamQuestion, type StreamedAnswer } from './event-stream-client.ts';
import { type GatewayUnderTest } from './scripted-cluster.ts';
import { WAITING_SEED } from './scripted-lead.ts';
import { PROMPT } from './workload.ts';

type Target = Pick<GatewayUnderTest, 'http' | 'modelId'>;

export const completion = ({ http, modelId }: Target, newTokens: number): StreamQuestion => ({
  url: `http://${http}/v1/completions`,
  body: { model: modelId, prompt: PROMPT, max_tokens: newTokens, temperature: 0, stream: true, stream_options: { include_usage: true } },
});

export const chat = ({ http, modelId }: Target, newTokens: number): StreamQuestion => ({
  url: `http://${http}/v1/chat/completions`,
  body: { model: modelId, messages: [{ role: 'user', content: PROMPT }], max_tokens: newTokens, temperature: 0, stream: true, stream_options: { include_usage: true } },
});

/** Never answered. */
export function waiting(target: Target): StreamQuestion {
  const { url, body } = completion(target, 1);
  return { url, body: { ...body, seed: Number(WAITING_SEED) } };
}

/** The same over the gateway's public gRPC. */
export async function askGrpc(gateway: InferenceApi, { modelId, newTokens }: { readonly modelId: string; readonly newTokens: number }, signal: AbortSignal): Promise<StreamedAnswer> {
  const askedMs = performance.now();
  let firstEventMs: number | null = null;
  const request = { model: modelId, prompt: { kind: 'text', text: PROMPT }, sampling: { temperature: 0 }, maxTokens: newTokens, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: false, logprobs: null } as const;
  for await (const event of gateway.generate(request, { signal, authorization: null, requestId: null })) {
    firstEventMs ??= performance.now() - askedMs;
    if (event.kind === 'done') return { firstEventMs, completionTokens: event.completionTokens };
  }
  assert(false, 'an answer ends with done or an error');
}

/** As many as the prompt's text has. */
const PROMPT_IDS = Array.from({ length: 171 }, (_, index) => 300 + index);

/** Milliseconds until the lead itself gives its first token: what a gateway adds is counted from there. */
export async function askLead(lead: LeadApi, signal: AbortSignal): Promise<number> {
  const askedMs = performance.now();
  const request = {
    requestId: requestId('bench'), sequenceId: sequenceId('bench'), promptIds: PROMPT_IDS, generatedIds: [], sampling: GREEDY, maxTokens: 1, minTokens: 0,
    stopTokenIds: [], ignoreEos: false, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 60_000,
  };
  for await (const event of lead.generate(request, signal)) if (event.kind === 'token') return performance.now() - askedMs;
  assert(false, 'a lead gives the token that it was asked for');
}
