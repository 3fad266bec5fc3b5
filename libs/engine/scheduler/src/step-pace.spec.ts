import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepPace } from './step-pace.ts';

const OPTIONS = { stepMs: 100, leastTokens: 16 };
const MOST_TOKENS = 256;

/** A machine whose steps take `fixedMs` and `tokenMs` more for each token. */
const machines = fc.record({ fixedMs: fc.double({ min: 0, max: 300, noNaN: true }), tokenMs: fc.double({ min: 0.01, max: 30, noNaN: true }) });
const answerCounts = fc.integer({ min: 1, max: 32 });

describe('a step\'s pace', () => {
  it('begins with the fewest tokens, since nothing is known of the machine', () => {
    expect(new StepPace(OPTIONS).promptTokens(1)).toBe(16);
  });

  it('gives what fits into the time at the rate of the steps so far, less the answers\' own tokens', () => {
    const pace = new StepPace(OPTIONS);
    pace.observe({ tokens: 256, durationMs: 512, hasPrompts: true });
    expect(pace.promptTokens(4)).toBe(46);
  });

  it('allows twice the time of steps without prompts where these are slow', () => {
    const pace = new StepPace(OPTIONS);
    pace.observe({ tokens: 16, durationMs: 120, hasPrompts: false });
    pace.observe({ tokens: 256, durationMs: 512, hasPrompts: true });
    expect(pace.promptTokens(16)).toBe(104);
  });

  it('is hardly changed by the short end of a prompt, whose step costs much for each token', () => {
    const pace = new StepPace(OPTIONS);
    pace.observe({ tokens: 50, durationMs: 100, hasPrompts: true });
    pace.observe({ tokens: 3, durationMs: 30, hasPrompts: true });
    expect(pace.promptTokens(1)).toBe(45);
  });

  it('allows everything where steps take no time that the clock can tell', () => {
    const pace = new StepPace(OPTIONS);
    pace.observe({ tokens: 20, durationMs: 0, hasPrompts: true });
    expect(pace.promptTokens(1)).toBe(Infinity);
  });

  it('never gives less than the fewest tokens, and whole ones, whatever it has seen', () => {
    const seen = fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 512 }), durationMs: fc.double({ min: 0, max: 1e5, noNaN: true }), hasPrompts: fc.boolean() }));
    fc.assert(fc.property(seen, answerCounts, (steps, answers) => {
      const pace = new StepPace(OPTIONS);
      for (const step of steps) pace.observe(step);
      const tokens = pace.promptTokens(answers);
      expect(tokens).toBeGreaterThanOrEqual(OPTIONS.leastTokens);
      expect(Number.isInteger(tokens) || tokens === Infinity).toBe(true);
    }));
  });

  it('finds the largest step that fits the time, on every machine, whatever the machine did before', () => {
    fc.assert(fc.property(machines, machines, answerCounts, (before, now, answers) => {
      const pace = new StepPace(OPTIONS);
      const stepOf = ({ fixedMs, tokenMs }: typeof now): { tokens: number; durationMs: number } => {
        const tokens = answers + Math.min(pace.promptTokens(answers), MOST_TOKENS);
        pace.observe({ tokens: answers, durationMs: fixedMs + tokenMs * answers, hasPrompts: false });
        const durationMs = fixedMs + tokenMs * tokens;
        pace.observe({ tokens, durationMs, hasPrompts: true });
        return { tokens, durationMs };
      };
      for (let nth = 0; nth < 50; nth++) stepOf(before);
      for (let nth = 0; nth < 100; nth++) stepOf(now);
      const { tokens, durationMs } = stepOf(now);
      const allowedMs = Math.max(OPTIONS.stepMs, 2 * (now.fixedMs + now.tokenMs * answers));
      if (tokens > answers + OPTIONS.leastTokens) expect(durationMs).toBeLessThanOrEqual(1.01 * allowedMs);
      if (tokens < answers + MOST_TOKENS) expect(durationMs + 2 * now.tokenMs).toBeGreaterThanOrEqual(0.99 * allowedMs);
    }));
  });
});
