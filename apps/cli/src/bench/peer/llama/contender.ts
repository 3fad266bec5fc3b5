import { memoryOf } from '../../memory.ts';
import { type Contender, type Prediction, PREDICTED_TOKENS } from '../contender.ts';
import { type LlamaProcess } from './llama-process.ts';
import { type BestSettings } from './settings.ts';

/** llama.cpp, asked within its own process: no network is in its figures. */
export function llamaContender(process: LlamaProcess, settings: BestSettings): Contender {
  return {
    async generate(prompts, { newTokens, promptTokens, work }, signal) {
      const context = { ...settings[work], sequences: prompts.length, tokensPerSequence: promptTokens + newTokens };
      const { askedMs, tokenMs } = await process.ask<'generate'>({ kind: 'generate', context, prompts, newTokens }, signal);
      return tokenMs.map((times) => ({ askedMs, tokenMs: times, promptTokens }));
    },
    async predict(prompt, signal) {
      const context = { ...settings.prefill, sequences: 1, tokensPerSequence: prompt.length + 1 };
      const { logits } = await process.ask<'predict'>({ kind: 'predict', context, prompt }, signal);
      return predictionOf(logits);
    },
    async peakBytes() {
      const peakBytes = (await memoryOf(process.pid))?.peakBytes;
      return typeof peakBytes === 'number' ? { 'llama.cpp': peakBytes } : null;
    },
  };
}

/** Log probabilities over the whole vocabulary, of which the likeliest are kept. */
export function predictionOf(logits: readonly number[]): Prediction {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const logSum = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  const all = logits.map((logit, id) => ({ id, logprob: logit - logSum }));
  return all.toSorted((one, other) => other.logprob - one.logprob).slice(0, PREDICTED_TOKENS);
}
