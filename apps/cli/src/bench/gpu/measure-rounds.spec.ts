import { expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';
import { type Contender, type Prediction } from '../peer/contender.ts';
import { decode } from '../peer/metrics.ts';
import { type OwnOmission } from './findings.ts';
import { measureRounds, type Side } from './measure-rounds.ts';
import { Tally } from './tally.ts';

const LOADS = [decode(1), decode(8)];
const SAYS: Prediction = [{ id: 1, logprob: -1 }];
const RATES: DeviceRates = { uploadBytesPerSecond: 1, downloadBytesPerSecond: 1, answerSeconds: 1, copyBytesPerSecond: 1, flopsPerSecond: { f32: 1, f16: null } };
const BOUNDS = { overlap: 0.8, meanDifference: 0.06 };

/** A token every so many milliseconds; `fails` at rows of so many streams. */
const contender = (tokenMs: number, { says = SAYS, fails = 0 }: { readonly says?: Prediction; readonly fails?: number } = {}): Contender => ({
  async generate(prompts, { newTokens }) {
    if (prompts.length === fails) throw new AppError('resource_exhausted', 'the card is full');
    return prompts.map((prompt) => ({ askedMs: 0, tokenMs: Array.from({ length: newTokens }, (_, nth) => tokenMs * (nth + 1)), promptTokens: prompt.length }));
  },
  predict: () => Promise.resolve(says),
  peakBytes: () => Promise.resolve(null),
});

interface Watched {
  readonly turns: readonly string[];
  readonly omissions: readonly OwnOmission[];
  readonly tally: Tally;
}

async function measured(engines: Readonly<Record<string, () => Contender>>, stop = new AbortController().signal): Promise<Watched> {
  const [turns, omissions, tally] = [[] as string[], [] as OwnOmission[], new Tally()];
  const [ours, ...others] = Object.entries(engines).map(([engine, start], nth): Side => ({
    engine, bounds: nth === 0 ? null : BOUNDS,
    async run(use) {
      turns.push(engine);
      await use({ contender: start(), readTimes: null }, stop);
    },
  }));
  await measureRounds([ours!, ...others], { vocabSize: 100, loads: LOADS, rounds: 2, rates: RATES, note: () => undefined, onStep: () => undefined, onOmission: (omission) => omissions.push(omission), stop }, tally);
  return { turns, omissions, tally };
}

it('gives the card to one side at a time, and lets another begin in the next round', async () => {
  const { turns, omissions, tally } = await measured({ essaim: () => contender(5), a: () => contender(10), b: () => contender(20) });
  expect([turns, omissions]).toEqual([['essaim', 'a', 'b', 'b', 'a', 'essaim'], []]);
  expect(tally.rate('essaim', 'decode-1')!.median).toBeCloseTo(200);
  expect(tally.ratio('essaim', 'b', 'decode-8')!.median).toBeCloseTo(4);
});

it('times no rival that is not there or says something else, and asks it no more', async () => {
  const absent = (): Contender => {
    throw new AppError('unavailable', 'there is no Python');
  };
  const { turns, omissions, tally } = await measured({ essaim: () => contender(5), absent, other: () => contender(10, { says: [{ id: 2, logprob: -1 }] }) });
  expect(turns).toEqual(['essaim', 'absent', 'other', 'essaim']);
  expect(omissions).toEqual([
    { engine: 'absent', name: null, kind: 'refused', reason: 'there is no Python' },
    { engine: 'other', name: null, kind: 'failed', reason: expect.stringMatching(/^Essaim and other don't compute the same: they share 0 %/) },
  ]);
  expect([tally.rate('essaim', 'decode-1'), tally.rate('other', 'decode-1')]).toEqual([expect.anything(), null]);
});

it('leaves out a row that a side can\'t do, once, and measures the others', async () => {
  const { omissions, tally } = await measured({ essaim: () => contender(5, { fails: 1 }), a: () => contender(10, { fails: 8 }) });
  expect(omissions).toEqual([{ engine: 'essaim', name: 'decode-1', kind: 'failed', reason: 'the card is full' }, { engine: 'a', name: 'decode-8', kind: 'refused', reason: 'the card is full' }]);
  expect([tally.rate('a', 'decode-1'), tally.ratio('essaim', 'a', 'decode-1')]).toEqual([expect.anything(), null]);
});

it('ends where Essaim can\'t run, and keeps what there is by then', async () => {
  let starts = 0;
  const once = (): Contender => {
    if (++starts > 1) throw new Error('the worker is lost');
    return contender(5);
  };
  await expect(measured({ essaim: once })).rejects.toThrow('the worker is lost');
});
