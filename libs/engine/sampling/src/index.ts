export { type FewLogits, type FewNeeded, fewNeeded, logprobsOfFew } from './few-logits.ts';
export * from './logprobs.ts';
export * from './sampler.ts';
