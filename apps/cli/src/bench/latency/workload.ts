/** What runs, and what happens beside it. BENCHMARKS.md says the same in words. */
export const WORKLOAD = {
  promptTokens: 64,
  /** Of each stream: more than come while it is watched. */
  newTokens: 1_024,
  warmUpTokens: 8,
  /** Of each stream before anything is counted: the prompts of all have been read then. */
  settlingTokens: 8,
  /** Of each stream while nothing happens. */
  quietTokens: 96,
  /** Of the prompt that is read beside them, or as many as the model's context holds. */
  longPromptTokens: 2_048,
  /** That the leaving worker holds, and the other one loads. */
  loadedExperts: 8,
} as const;

/** Streams that run at a time. */
export const STREAMS = [1, 16] as const;
