import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '@essaim/core';
import { connectInference, connectWorker } from '@essaim/rpc';
import { memoryOf } from '../memory.ts';
import { median } from '../statistics.ts';
import { askGrpc, askLead, chat, completion, waiting } from './ask.ts';
import { EventStreamClient, type StreamedAnswer } from './event-stream-client.ts';
import { type Sample } from './metrics.ts';
import { processorTimeUs } from './processor-time.ts';
import { type GatewayUnderTest } from './scripted-cluster.ts';
import { WORKLOAD } from './workload.ts';

/** Asks for an answer of so many tokens in one of the gateway's ways. */
type Ask = (newTokens: number) => Promise<StreamedAnswer>;

/** Everything that one gateway, just started, shows its clients and its machine. */
export async function measureGateway(gateway: GatewayUnderTest, signal: AbortSignal): Promise<Sample> {
  const client = new EventStreamClient();
  const inference = connectInference(gateway.grpc);
  const lead = connectWorker(gateway.lead, { tls: gateway.tls });
  const asks = {
    completions: (tokens: number) => client.read(completion(gateway, tokens), signal),
    chat: (tokens: number) => client.read(chat(gateway, tokens), signal),
    grpc: (tokens: number) => askGrpc(inference, { modelId: gateway.modelId, newTokens: tokens }, signal),
  };
  try {
    for (const ask of Object.values(asks)) await together(ask, WORKLOAD.warmUpTokens);
    const memory = await memoryPerWaitingStream(gateway, signal);
    const first = await firstTokens({ ...asks, lead: () => askLead(lead, signal) });
    return {
      'processor time per token, completions': await processorTimePerToken(gateway, asks.completions),
      'processor time per token, chat': await processorTimePerToken(gateway, asks.chat),
      'processor time per token, gRPC': await processorTimePerToken(gateway, asks.grpc),
      'first token, from the lead': first.lead,
      'first token added, completions': first.completions - first.lead,
      'first token added, gRPC': first.grpc - first.lead,
      'memory per waiting stream': memory / 1024,
    };
  } finally {
    client.close();
    inference.close();
    lead.close();
  }
}

const together = (ask: Ask, newTokens: number): Promise<StreamedAnswer[]> => Promise.all(Array.from({ length: WORKLOAD.streams }, () => ask(newTokens)));

/** Microseconds: all that the streams cost, from the first request to the last byte, over their tokens. */
async function processorTimePerToken({ pid }: GatewayUnderTest, ask: Ask): Promise<number> {
  const before = await processorTimeUs(pid);
  const answers = await together(ask, WORKLOAD.newTokens);
  const after = await processorTimeUs(pid);
  const tokens = answers.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  assert(tokens === WORKLOAD.streams * WORKLOAD.newTokens, 'every answer has its full length');
  return (after - before) / tokens;
}

interface FirstTokens<T> {
  readonly lead: T;
  readonly completions: T;
  readonly grpc: T;
}

/** Medians in milliseconds. The three take turns, so that each has the same machine. */
async function firstTokens({ lead, completions, grpc }: { readonly lead: () => Promise<number>; readonly completions: Ask; readonly grpc: Ask }): Promise<FirstTokens<number>> {
  const times: FirstTokens<number[]> = { lead: [], completions: [], grpc: [] };
  for (let nth = 0; nth < WORKLOAD.firstTokens; nth++) {
    times.lead.push(await lead());
    times.completions.push((await completions(1)).firstEventMs);
    times.grpc.push((await grpc(1)).firstEventMs);
  }
  return { lead: median(times.lead), completions: median(times.completions), grpc: median(times.grpc) };
}

/** Bytes that the gateway grows by for each stream that is open and has no token yet. */
async function memoryPerWaitingStream(gateway: GatewayUnderTest, signal: AbortSignal): Promise<number> {
  const { waitingStreams, settleMs } = WORKLOAD;
  const over = new AbortController();
  const client = new EventStreamClient();
  try {
    const before = await residentBytes(gateway);
    for (let nth = 0; nth < waitingStreams; nth++) client.open(waiting(gateway), AbortSignal.any([signal, over.signal]));
    await untilWaiting(gateway, waitingStreams, signal);
    await sleep(settleMs, undefined, { signal });
    return (await residentBytes(gateway) - before) / waitingStreams;
  } finally {
    over.abort();
    client.close();
    await untilWaiting(gateway, 0, signal);
  }
}

/** Resolves when so many sequences are under way. */
async function untilWaiting({ http }: GatewayUnderTest, sequences: number, signal: AbortSignal): Promise<void> {
  const line = `\nessaim_gateway_sequences_in_flight ${sequences}\n`;
  while (!(await (await fetch(`http://${http}/metrics`, { signal })).text()).includes(line)) await sleep(50, undefined, { signal });
}

async function residentBytes({ pid }: GatewayUnderTest): Promise<number> {
  const memory = await memoryOf(pid);
  assert(memory, 'a gateway that runs has memory');
  return memory.residentBytes;
}
