import { performance } from 'node:perf_hooks';
import { assert } from '@essaim/core';
import { connectInference, type InferenceEvent, type InferenceRequest } from '@essaim/rpc';
import { type OneShot } from './options.ts';
import { type Answer } from './report.ts';

export interface Listener {
  readonly onPiece: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Asks the gateway at `address` (host:port) over its public gRPC, as any client would, and measures from outside. */
export async function answerOnce(address: string, question: OneShot & { readonly model: string }, { onPiece, signal }: Listener): Promise<Answer> {
  const gateway = connectInference(address);
  try {
    return await collect(gateway.generate(requestOf(question), { signal, authorization: null, requestId: null }), onPiece);
  } finally {
    gateway.close();
  }
}

function requestOf({ model, prompt, maxTokens, temperature, seed }: OneShot & { readonly model: string }): InferenceRequest {
  return {
    model,
    prompt: { kind: 'text', text: prompt },
    sampling: seed === null ? { temperature } : { temperature, seed },
    maxTokens, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: false, logprobs: null,
  };
}

async function collect(events: AsyncIterable<InferenceEvent>, onPiece: (text: string) => void): Promise<Answer> {
  const startMs = performance.now();
  let firstTokenMs: number | null = null;
  let text = '';
  for await (const event of events) {
    if (event.kind === 'done') {
      const totalMs = performance.now() - startMs;
      const { finishReason, promptTokens, completionTokens, stats } = event;
      return { text, finishReason, promptTokens, completionTokens, timeToFirstTokenMs: firstTokenMs ?? totalMs, totalMs, stats };
    }
    firstTokenMs ??= performance.now() - startMs;
    text += event.text;
    onPiece(event.text);
  }
  assert(false, 'an answer ends with done or an error');
}
