import { performance } from 'node:perf_hooks';
import { assert } from '@essaim/core';
import { type InferenceApi, type InferenceRequest } from '@essaim/rpc';
import { type TimedAnswer } from './rates.ts';

export interface Question {
  readonly model: string;
  readonly promptIds: readonly number[];
  /** The answer has exactly so many tokens. */
  readonly newTokens: number;
}

/** Asks over the public gRPC, greedily and past the model's end token, and notes when each token comes. */
export async function ask(gateway: InferenceApi, question: Question, signal: AbortSignal): Promise<TimedAnswer> {
  const askedMs = performance.now();
  const tokenMs: number[] = [];
  for await (const event of gateway.generate(requestOf(question), { signal, authorization: null, requestId: null })) {
    if (event.kind === 'done') {
      assert(tokenMs.length === question.newTokens, `an answer of ${question.newTokens} tokens has ${tokenMs.length}`);
      return { askedMs, tokenMs, promptTokens: event.promptTokens, stats: event.stats };
    }
    const nowMs = performance.now();
    for (const _ of event.tokenIds) tokenMs.push(nowMs);
  }
  assert(false, 'an answer ends with done or an error');
}

function requestOf({ model, promptIds, newTokens }: Question): InferenceRequest {
  return {
    model,
    prompt: { kind: 'tokens', ids: promptIds },
    sampling: { temperature: 0 },
    maxTokens: newTokens, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: true, logprobs: null,
  };
}
