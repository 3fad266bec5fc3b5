import { describe, expect, it } from 'vitest';
import { type AppError, GREEDY, LEAD_PHASES, type LeadPhase, type ModelSpec, PhaseTimes, requestId, sequenceId, workerId } from '@essaim/core';
import { KvPool } from '@essaim/kv';
import { Scheduler } from '@essaim/scheduler';
import { Engine } from './engine.ts';
import { type ForwardItem, type ForwardOutput } from './model-runner.ts';

const VOCABULARY = 4;
const SPEC: ModelSpec = {
  family: 'mixtral', vocabSize: VOCABULARY, hiddenSize: 2, layerCount: 1, contextLength: 64,
  attention: { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 2, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
  feedForward: { kind: 'dense', size: 2 }, normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 0, eosTokenIds: [1],
};

/** Time passes only while a step runs, 7 ms of it, or when a test says so. */
class ToyLead {
  nowMs = 0;
  readonly times: PhaseTimes<LeadPhase>;
  readonly engine: Engine;
  readonly kv = new KvPool({ layerCount: 1, keyWidth: 1, valueWidth: 1, dtype: 'f32' }, 4_096);
  readonly failures: AppError[] = [];

  constructor(fails = false) {
    const clock = { nowMs: () => this.nowMs, sleep: () => new Promise<void>(() => undefined) };
    this.times = new PhaseTimes(LEAD_PHASES, 'idle', clock);
    this.engine = new Engine({
      self: workerId('w1'), spec: SPEC, clock, epoch: () => 1, draftTokens: 0, onStepFailure: (error) => void this.failures.push(error), times: this.times,
      scheduler: new Scheduler({ waitingSequences: 8, runningSequences: 4, stepTokens: 16 }, this.kv),
      runner: { forward: (items) => this.#forward(items, fails) },
    });
  }

  async generate(maxTokens: number): Promise<void> {
    const request = {
      requestId: requestId('r'), sequenceId: sequenceId('s'), promptIds: [2, 3], generatedIds: [], sampling: GREEDY, maxTokens, minTokens: 0,
      stopTokenIds: [], ignoreEos: true, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 1_000,
    };
    for await (const _ of this.engine.generate(request, new AbortController().signal));
  }

  async #forward(items: readonly ForwardItem[], fails: boolean): Promise<ForwardOutput[]> {
    this.nowMs += 7;
    if (fails) throw new Error('the device broke');
    return items.map(({ cache, tokenIds, logitsOfLast }) => {
      cache.prepare(tokenIds.length);
      cache.commit(tokenIds);
      return { logits: new Float32Array(logitsOfLast * VOCABULARY), few: null, failure: null, soundDrafts: 0, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, workers: new Set() };
    });
  }
}

describe('the time of a lead', () => {
  it('is that of its steps while it has a sequence, and idle before and after', async () => {
    const lead = new ToyLead();
    lead.nowMs += 100;
    await lead.generate(3);
    lead.nowMs += 200;
    await lead.generate(2);
    lead.nowMs += 400;
    expect(lead.engine.steps).toBe(5);
    expect(lead.times.read()).toEqual({ schedule: 0, dense: 5 * 7_000, dispatch: 0, experts: 0, serialise: 0, remote: 0, sample: 0, idle: 700_000 });
  });

  it('is idle again after a step that failed', async () => {
    const lead = new ToyLead(true);
    await expect(lead.generate(3)).rejects.toMatchObject({ code: 'internal' });
    lead.nowMs += 50;
    expect(lead.times.read()).toMatchObject({ dense: 7_000, idle: 50_000 });
  });
});

it('a lead that has nothing to do looks whether its memory holds what it counts, once a minute, and tells when not', async () => {
  const lead = new ToyLead();
  let looks = 0;
  lead.kv.checkIntegrity = () => {
    if (++looks > 1) throw new Error('the pool counts 8 bytes where its caches hold 0');
  };
  for (const waitMs of [0, 30_000, 40_000]) {
    lead.nowMs += waitMs;
    await lead.generate(1);
  }
  expect(looks).toBe(2);
  expect(lead.failures.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([['internal', 'the pool counts 8 bytes where its caches hold 0']]);
});
