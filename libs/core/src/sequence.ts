import { type Constraint } from './constraint.ts';
import { type RequestId, type SequenceId, type WorkerId } from './ids.ts';
import { type SamplingParams } from './sampling-params.ts';

/** One generation that a gateway asks a lead worker for. Token ids only: text stays in the gateway. */
export interface SequenceRequest {
  readonly requestId: RequestId;
  readonly sequenceId: SequenceId;
  readonly promptIds: readonly number[];
  /** Tokens already emitted by a lead that was lost: prefilled like the prompt, counted as answer, not emitted again. */
  readonly generatedIds: readonly number[];
  readonly sampling: SamplingParams;
  /** New tokens at most, `generatedIds` counted in. */
  readonly maxTokens: number;
  /** The stop ids can't be chosen before so many tokens. */
  readonly minTokens: number;
  /** Ids that end the sequence; the model's own end tokens are added by the lead unless `ignoreEos`. */
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  /** What the answer must be; absent where it may be anything. */
  readonly constraint?: Constraint;
  /** Alternatives to report with each new token, 0 to LIMITS.topLogprobs; null for no logprobs at all. */
  readonly logprobs: number | null;
  /** The same for the prompt's tokens (`echo`). */
  readonly promptLogprobs: number | null;
  /** From -LIMITS.priority to LIMITS.priority; lower is served earlier. */
  readonly priority: number;
  /** Milliseconds from now after which the lead gives up. */
  readonly timeoutMs: number;
}

export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

/** Log probabilities, natural base, of the model's own distribution (before temperature and filters). */
export interface PositionLogprobs {
  readonly logprob: number;
  readonly top: readonly TokenLogprob[];
}

export type FinishReason = 'stop' | 'length';

export interface SequenceStats {
  readonly lead: WorkerId;
  /** Expert workers that answered, the lead included where it ran local experts. */
  readonly workers: readonly WorkerId[];
  /** Tokens of the prompt that were not computed, because another sequence on this lead began with the same ones. */
  readonly cachedPromptTokens: number;
  /** Tokens of the answer that the lead had guessed, so that they came together with others. */
  readonly acceptedDraftTokens: number;
  /** Guesses that cost time and are in no answer. */
  readonly rejectedDraftTokens: number;
  /** Pairs of (token, expert) that ran on the lead itself. */
  readonly localExpertCalls: number;
  /** Pairs of (token, expert) that ran on another worker. */
  readonly remoteExpertCalls: number;
  /** Expert calls that were sent again, to another replica or under a newer epoch. */
  readonly retriedExpertCalls: number;
  readonly epoch: number;
}

/** What a lead worker streams back. `done` is last; an error ends the stream as an AppError instead. */
export type SequenceEvent =
  | { readonly kind: 'prompt'; /** One per prompt token; null for the first, which nothing predicts. */ readonly logprobs: readonly (PositionLogprobs | null)[] }
  | { readonly kind: 'token'; readonly id: number; readonly logprobs: PositionLogprobs | null }
  | { readonly kind: 'done'; readonly finishReason: FinishReason; readonly stats: SequenceStats };
