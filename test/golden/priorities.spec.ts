import { afterAll, describe, expect, it } from 'vitest';
import { GREEDY, type SequenceEvent, type SequenceRequest } from '@essaim/core';
import { kvBytesPerToken } from '@essaim/kv';
import { type LocalCluster, type LocalClusterOptions } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** A sequence that gives way to a better one is computed again: it says what it would have said, once. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const { promptIds } = tinyVector;
const start = (options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> => startTiny({ cache: compiled.cache, deterministic: true, limits: { runningSequences: 1, stepTokens: 8 }, ...options });
const said = (events: readonly SequenceEvent[]): object[] => events.map((event) => (event.kind === 'done' ? { finishReason: event.finishReason } : event));

const PATIENT: readonly (readonly [how: string, request: SequenceRequest])[] = [
  ['greedy', { ...greedyRequest(promptIds, 40), logprobs: 2 }],
  ['drawn, with penalties', { ...greedyRequest(promptIds, 40), logprobs: 2, sampling: { ...GREEDY, temperature: 0.9, seed: 3n, presencePenalty: 0.4, repetitionPenalty: 1.2 } }],
  ['repetitive', { ...greedyRequest(new Array<number>(30).fill(5), 60), logprobs: 2 }],
  ['with the prompt\'s logprobs', { ...greedyRequest(promptIds, 40), promptLogprobs: 2 }],
];
const urgent: SequenceRequest = { ...greedyRequest([9, 8, 7, 6], 5), priority: -1 };

interface Disturbed {
  readonly events: readonly SequenceEvent[];
  /** How many urgent ones were answered while the patient one waited. */
  readonly overtaken: number;
}

/** The answer to a patient request while an urgent one comes in each time that so many steps have passed since the last was answered. */
async function disturbed(options: Partial<LocalClusterOptions>, request: SequenceRequest, everySteps: number): Promise<Disturbed> {
  let [steps, overtaken, done] = [0, 0, false];
  await using cluster = await start({ ...options, onStep: () => void steps++ });
  const { engine } = cluster.workers[0]!;
  const patient = eventsOf(engine, request).finally(() => (done = true));
  while (!done) {
    for (const stepsThen = steps; steps < stepsThen + everySteps && !done; ) await new Promise(setImmediate);
    await eventsOf(engine, urgent, (count) => void (count === 1 && (overtaken += engine.waitingSequences)));
  }
  const events = await patient;
  expect(cluster.kv.usedBytes).toBe(0);
  cluster.kv.checkIntegrity();
  return { events, overtaken };
}

describe.each(PATIENT)('a sequence that is sent back to the line, %s', (_how, request) => {
  it.each([2, 7])('every %i steps, gets the bits that it gets undisturbed', async (every) => {
    await using quiet = await start();
    const expected = said(await eventsOf(quiet.workers[0]!.engine, request));
    // With room for what is left of it beside the urgent one, without, and where both guess.
    const tight = kvBytesPerToken(quiet.kv.layout) * (request.promptIds.length + request.maxTokens);
    for (const options of [{}, { kvBytes: tight }, { kvBytes: tight, draftTokens: 4 }]) {
      const { events, overtaken } = await disturbed(options, request, every);
      expect(overtaken).toBeGreaterThan(1);
      expect(said(events)).toEqual(expected);
    }
  });
});

it('one of better priority is answered first, although it came last', async () => {
  await using cluster = await start();
  const { engine } = cluster.workers[0]!;
  const order: string[] = [];
  const ask = (name: string, priority: number): Promise<unknown> => eventsOf(engine, { ...greedyRequest(promptIds, 4), priority }).then(() => order.push(name));
  await Promise.all([ask('worse', 1), ask('usual', 0), ask('better', -1)]);
  expect(order).toEqual(['better', 'usual', 'worse']);
});
