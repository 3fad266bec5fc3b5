import { memoryOf } from '../../../memory.ts';
import { type Contender, PREDICTED_TOKENS } from '../../../peer/contender.ts';
import { type TransformersProcess } from './transformers-process.ts';

/** transformers, asked within its own process: no network is in its figures. The prompts of a load are one batch, whose answers end together. */
export function transformersContender(process: TransformersProcess): Contender {
  return {
    async generate(prompts, { newTokens, promptTokens }, signal) {
      const { askedMs, tokenMs } = await process.ask<'generate'>({ kind: 'generate', prompts, newTokens }, signal);
      return tokenMs.map((times) => ({ askedMs, tokenMs: times, promptTokens }));
    },
    async predict(prompt, signal) {
      return (await process.ask<'predict'>({ kind: 'predict', prompt, tokens: PREDICTED_TOKENS }, signal)).prediction;
    },
    async peakBytes() {
      const peakBytes = (await memoryOf(process.pid))?.peakBytes;
      return typeof peakBytes === 'number' ? { transformers: peakBytes } : null;
    },
  };
}
