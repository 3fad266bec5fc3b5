import { describe, expect, it } from 'vitest';
import { type WorkerId, workerId } from '@essaim/core';
import { drawRoutedWork, repeatableRandom, type RoutedWork } from './routed-work.ts';

const [A, B] = [workerId('a'), workerId('b')];
/** Four experts with each of two workers. */
const HALVES = Array.from({ length: 8 }, (_, expert) => [expert % 2 === 0 ? A : B]);

function meanOf(of: (work: ReadonlyMap<WorkerId, RoutedWork>) => number, { tokens = 1, leads = [A] }): number {
  const [random, draws] = [repeatableRandom(), 4_000];
  let sum = 0;
  for (let draw = 0; draw < draws; draw++) sum += of(drawRoutedWork(HALVES, { leads, tokensPerLead: tokens, expertsPerToken: 2 }, random));
  return sum / draws;
}

const busiest = (work: ReadonlyMap<WorkerId, RoutedWork>): number => Math.max(...[...work.values()].map(({ rows }) => rows));

describe('what routers may ask of workers', () => {
  it('of a token that chooses 2 of 8 experts on two workers: both of one worker in 12 of 28 draws', () => {
    expect(meanOf(busiest, {})).toBeCloseTo((2 * 12 + 16) / 28, 1);
  });

  it('is more uneven of few tokens than of many', () => {
    expect(meanOf(busiest, { tokens: 2 }) / 2).toBeGreaterThan(1.05 * (meanOf(busiest, { tokens: 32 }) / 32));
  });

  it('reads an expert once for all leads, and multiplies every row', () => {
    const work = drawRoutedWork(HALVES, { leads: [A, B], tokensPerLead: 100, expertsPerToken: 2 }, repeatableRandom());
    expect([...work.values()].map(({ experts }) => experts)).toEqual([4, 4]);
    expect([...work.values()].reduce((sum, { rows }) => sum + rows, 0)).toBe(400);
  });

  it('asks a lead that has copies of all experts, and nobody else', () => {
    const copies = HALVES.map(() => [A, B]);
    const work = drawRoutedWork(copies, { leads: [B], tokensPerLead: 10, expertsPerToken: 2 }, repeatableRandom());
    expect(work.get(A)).toEqual({ experts: 0, rows: 0 });
    expect(work.get(B)!.rows).toBe(20);
  });

  it('is the same each time', () => {
    const once = (): RoutedWork[] => [...drawRoutedWork(HALVES, { leads: [A], tokensPerLead: 5, expertsPerToken: 2 }, repeatableRandom()).values()];
    expect(once()).toEqual(once());
  });
});
