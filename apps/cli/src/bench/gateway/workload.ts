/** What is asked of each gateway. BENCHMARKS.md says the same in words. */
export const WORKLOAD = {
  streams: 64,
  newTokens: 256,
  /** Between two tokens of a stream: 64 streams have about 2,100 tokens a second, more than the models of this machine give. */
  stepMs: 30,
  warmUpTokens: 32,
  /** Asked one at a time. */
  firstTokens: 60,
  waitingStreams: 200,
  /** Until the memory of streams that wait no longer changes. */
  settleMs: 1_000,
} as const;

/** 171 tokens of the built-in model. */
export const PROMPT = Array.from({ length: 6 }, (_, index) => `Chapitre ${index + 1}. Il était une fois, au bord de la mer, un vieux pêcheur qui parlait aux étoiles.`).join(' ');
