import { type SequenceStats } from '@essaim/core';

/** When the tokens of an answer came. Times are milliseconds on one clock for all answers that are compared. */
export interface TimedTokens {
  readonly askedMs: number;
  /** At least one. */
  readonly tokenMs: readonly number[];
  readonly promptTokens: number;
}

/** An answer as its client saw it. */
export interface TimedAnswer extends TimedTokens {
  readonly stats: Pick<SequenceStats, 'localExpertCalls' | 'remoteExpertCalls'>;
}

export const timeToFirstTokenMs = ({ askedMs, tokenMs }: TimedTokens): number => tokenMs[0]! - askedMs;

/** Tokens per second that prompts are read with: those of the prompt over the time to the first token, so a little less than the engine itself reaches. */
export const prefillRate = (answer: TimedTokens): number => answer.promptTokens / (timeToFirstTokenMs(answer) / 1000);

/** Tokens per second of all answers together from the moment when the last prompt has been read: what comes while others still read theirs does not count. */
export function decodeRate(answers: readonly TimedTokens[]): number {
  const allRead = Math.max(...answers.map(({ tokenMs }) => tokenMs[0]!));
  const decoded = answers.flatMap(({ tokenMs }) => tokenMs).filter((time) => time > allRead).length;
  return decoded / ((endMs(answers) - allRead) / 1000);
}

/** Tokens per second of all answers together from the moment of asking: reading the prompts is paid for in it. */
export function answerRate(answers: readonly TimedTokens[]): number {
  const tokens = answers.reduce((sum, { tokenMs }) => sum + tokenMs.length, 0);
  return tokens / ((endMs(answers) - Math.min(...answers.map(({ askedMs }) => askedMs))) / 1000);
}

/** Pairs of (token, expert) per token that went through the model: all but the last of each answer, which nobody reads. */
export function expertCallsPerToken(answers: readonly TimedAnswer[]): { readonly local: number; readonly remote: number } {
  const tokens = answers.reduce((sum, { promptTokens, tokenMs }) => sum + promptTokens + tokenMs.length - 1, 0);
  const perToken = (calls: keyof TimedAnswer['stats']): number => answers.reduce((sum, { stats }) => sum + stats[calls], 0) / tokens;
  return { local: perToken('localExpertCalls'), remote: perToken('remoteExpertCalls') };
}

const endMs = (answers: readonly TimedTokens[]): number => Math.max(...answers.map(({ tokenMs }) => tokenMs.at(-1)!));
