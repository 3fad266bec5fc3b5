/**
 * How the next token is chosen. Order of operations: repetition, presence and frequency penalties, logit bias, what the answer must be, temperature,
 * top-k, top-p, min-p, draw. Temperature 0 is greedy and ignores the filters.
 */
export interface SamplingParams {
  readonly temperature: number;
  /** Nucleus mass in (0, 1]; 1 is off. */
  readonly topP: number;
  /** Most likely tokens kept; 0 is off. */
  readonly topK: number;
  /** Share of the best token's probability under which tokens are dropped; 0 is off. */
  readonly minP: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  /** Divides positive and multiplies negative logits of tokens seen in prompt or answer; 1 is off. */
  readonly repetitionPenalty: number;
  readonly logitBias: ReadonlyMap<number, number>;
  /** The draw at a position depends on (seed, position) alone, so that a replay chooses the same tokens. */
  readonly seed: bigint;
}

export const GREEDY: SamplingParams = {
  temperature: 0, topP: 1, topK: 0, minP: 0, presencePenalty: 0, frequencyPenalty: 0, repetitionPenalty: 1, logitBias: new Map(), seed: 0n,
};
