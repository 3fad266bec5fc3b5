import { expect, it } from 'vitest';
import { answerRate, decodeRate, expertCallsPerToken, prefillRate, type TimedAnswer, timeToFirstTokenMs } from './rates.ts';

const answer = (askedMs: number, tokenMs: readonly number[], changes: Partial<TimedAnswer> = {}): TimedAnswer => ({
  askedMs, tokenMs, promptTokens: 100, stats: { localExpertCalls: 0, remoteExpertCalls: 0 }, ...changes,
});

it('the first token comes from the prompt, the others from decoding', () => {
  const alone = answer(1000, [1500, 1600, 1700, 1800, 1900]);
  expect(timeToFirstTokenMs(alone)).toBe(500);
  expect(prefillRate(alone)).toBe(200);
  expect(decodeRate([alone])).toBe(10);
  expect(answerRate([alone])).toBeCloseTo(5 / 0.9);
});

it('decoding of several streams counts from when the last prompt is read', () => {
  const early = answer(0, [100, 900, 1100, 1500]);
  const late = answer(0, [1000, 1500, 2000]);
  expect(decodeRate([early, late])).toBe(4);
  expect(answerRate([early, late])).toBe(3.5);
});

it('expert calls are shared out over the tokens that went through the model', () => {
  const stats = { localExpertCalls: 309, remoteExpertCalls: 927 };
  expect(expertCallsPerToken([answer(0, [1, 2, 3, 4], { stats })])).toEqual({ local: 3, remote: 9 });
  expect(expertCallsPerToken([answer(0, [1, 2, 3, 4], { stats }), answer(0, [1, 2, 3, 4])])).toEqual({ local: 1.5, remote: 4.5 });
});
