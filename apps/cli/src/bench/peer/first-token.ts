import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { connectInference } from '@essaim/rpc';
import { type UpOptions } from '../../up/options.ts';
import { randomPrompt } from '../prompts.ts';
import { seededRandom } from '../random.ts';
import { withCluster } from '../with-cluster.ts';
import { essaimContender } from './essaim.ts';
import { LlamaProcess } from './llama/llama-process.ts';
import { type LlamaLoading } from './llama/protocol.ts';
import { dropFromMemory } from './page-cache.ts';

const PROMPT_TOKENS = 16;
const promptOf = (vocabSize: number): number[] => randomPrompt(seededRandom(0), { tokens: PROMPT_TOKENS, vocabSize });

/** What a side needs to start, on the disk: cold means that the system does not hold them in memory. */
export type Files = 'cold' | 'warm';

/** From starting the cluster's first process until a client has the first token of its answer. Null where files can't be made cold. */
export async function essaimFirstTokenMs(files: Files, options: UpOptions, { vocabSize, stop }: { readonly vocabSize: number; readonly stop: AbortSignal }): Promise<number | null> {
  if (files === 'cold' && !(await dropFromMemory(join(options.stateDirectory, 'cache'), stop))) return null;
  return withCluster(options, async ({ cluster, startMs }, signal) => {
    const gateway = connectInference(cluster.addresses.grpc);
    try {
      const [answer] = await essaimContender(cluster, gateway, options.model.id).generate([promptOf(vocabSize)], { promptTokens: PROMPT_TOKENS, newTokens: 1, work: 'prefill' }, signal);
      return startMs + (answer!.tokenMs[0]! - answer!.askedMs);
    } finally {
      gateway.close();
    }
  }, stop);
}

/** From starting llama.cpp's process until it has the first token. Null where files can't be made cold. */
export async function llamaFirstTokenMs(files: Files, loading: LlamaLoading, { logFile, vocabSize, stop }: { readonly logFile: string; readonly vocabSize: number; readonly stop: AbortSignal }): Promise<number | null> {
  if (files === 'cold' && !(await dropFromMemory(loading.gguf, stop))) return null;
  await using llama = new LlamaProcess(loading, logFile);
  const context = { sequences: 1, tokensPerSequence: PROMPT_TOKENS + 1, batchTokens: PROMPT_TOKENS, flashAttention: true, order: 'maximumParallelism' } as const;
  await llama.ask<'generate'>({ kind: 'generate', context, prompts: [promptOf(vocabSize)], newTokens: 1 }, stop);
  return performance.now() - llama.startedMs;
}
