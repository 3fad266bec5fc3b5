import { afterAll, describe, expect, it } from 'vitest';
import { type Clock, type SequenceRequest } from '@essaim/core';
import { type LocalClusterOptions } from '@essaim/testing';
import { systemClock } from '@essaim/telemetry';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { startTiny, tokenIds } from './tiny-cluster.ts';

/** How much of a prompt a step computes follows the time that steps took; what is computed does not. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const PROMPT = Array.from({ length: 300 }, (_, index) => 3 + (index * index * 37) % 250);
const long: SequenceRequest = { ...greedyRequest(PROMPT, 12), logprobs: 3, promptLogprobs: 1 };
const running = greedyRequest(PROMPT.slice(7, 12), 200);

/** Every look at it is so many milliseconds later, and again from the first. */
function erratic(durationsMs: readonly number[]): Clock {
  let [nowMs, looks] = [0, 0];
  return { nowMs: () => (nowMs += durationsMs[looks++ % durationsMs.length]!), sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal) };
}

/** All that was said of a long prompt that comes while another answer is under way, and the chunks in which it was computed. */
async function besideAnother(options: Partial<LocalClusterOptions>) {
  const chunks: number[] = [];
  await using cluster = await startTiny({ cache: compiled.cache, deterministic: true, workers: 1, onStep: (counts) => chunks.push(...counts.filter((count) => count > 1)), ...options });
  const { engine } = cluster.workers[0]!;
  let late: ReturnType<typeof eventsOf> | null = null;
  const first = await eventsOf(engine, running, () => void (late ??= eventsOf(engine, long)));
  const events = await late!;
  return { chunks: chunks.slice(1), events: events.filter(({ kind }) => kind !== 'done'), tokens: [tokenIds(first), tokenIds(events)] };
}

const paced = (durationsMs: readonly number[]): Partial<LocalClusterOptions> => ({ clock: erratic(durationsMs), limits: { stepTokens: 64, pace: { stepMs: 100, leastTokens: 4 } } });

describe('a prompt beside an answer', () => {
  it('gives the same bits in deterministic mode, in whatever chunks its machine\'s pace has it computed', async () => {
    const whole = await besideAnother({ limits: { stepTokens: 512 } });
    expect(whole.chunks).toEqual([300]);
    for (const durationsMs of [[1_000], [3, 40, 900, 0, 7], [1, 90, 5]]) {
      const { chunks, ...said } = await besideAnother(paced(durationsMs));
      expect(chunks.length).toBeGreaterThan(4);
      expect(said).toEqual({ events: whole.events, tokens: whole.tokens });
    }
  });
});
