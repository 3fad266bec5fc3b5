import { assert } from '@essaim/core';
import { type InferenceApi } from '@essaim/rpc';
import { type Cluster } from '../../up/cluster.ts';
import { ask } from '../ask.ts';
import { memoryOf } from '../memory.ts';
import { type Contender, PREDICTED_TOKENS } from './contender.ts';

/** A whole cluster, asked as clients ask it: over the gateway's public gRPC. */
export function essaimContender(cluster: Cluster, gateway: InferenceApi, model: string): Contender {
  return {
    generate: (prompts, { newTokens }, signal) => Promise.all(prompts.map((promptIds) => ask(gateway, { model, promptIds, newTokens }, signal))),
    async predict(prompt, signal) {
      const sampling = { temperature: 0 };
      const request = { model, prompt: { kind: 'tokens' as const, ids: prompt }, sampling, maxTokens: 1, minTokens: 0, stop: [], stopTokenIds: [], ignoreEos: true, logprobs: PREDICTED_TOKENS };
      for await (const event of gateway.generate(request, { signal, authorization: null, requestId: null })) {
        if (event.kind === 'delta' && event.logprobs[0]) return event.logprobs[0].top;
      }
      assert(false, 'an answer has the logprobs that were asked for');
    },
    async peakBytes() {
      const peaks = await Promise.all(cluster.processes.map(async ({ name, pid }) => [name, (await memoryOf(pid))?.peakBytes] as const));
      return peaks.every((peak): peak is [string, number] => typeof peak[1] === 'number') ? Object.fromEntries(peaks) : null;
    },
  };
}
