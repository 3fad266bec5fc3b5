import { GREEDY, requestId, sequenceId, type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { type LocalWorker } from '@essaim/testing';

export const greedyRequest = (promptIds: readonly number[], maxTokens: number): SequenceRequest => ({
  requestId: requestId('r'), sequenceId: sequenceId('s'), promptIds, generatedIds: [], sampling: GREEDY, maxTokens, minTokens: 0,
  stopTokenIds: [], ignoreEos: true, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 60_000,
});

export async function eventsOf(engine: LocalWorker['engine'], request: SequenceRequest, onToken: (count: number) => void = () => undefined): Promise<SequenceEvent[]> {
  const events: SequenceEvent[] = [];
  for await (const event of engine.generate(request, new AbortController().signal)) {
    events.push(event);
    onToken(events.length);
  }
  return events;
}

export async function tokensOf(engine: LocalWorker['engine'], request: SequenceRequest): Promise<number[]> {
  return (await eventsOf(engine, request)).flatMap((event) => (event.kind === 'token' ? [event.id] : []));
}
