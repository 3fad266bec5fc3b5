export * from './logprobs.ts';
export * from './sampler.ts';
