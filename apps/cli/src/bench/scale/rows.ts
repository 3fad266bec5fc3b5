import { assert } from '@essaim/core';
import { summarise, type Summary } from '../statistics.ts';
import { type ScaleCase, SERIES } from './cases.ts';

/** Nanoseconds per active token, over the rounds. */
export interface ScaleRow extends Summary, Pick<ScaleCase, 'name' | 'tokens'> {
  readonly unit: 'ns';
}

/** How much more an active token costs among 10,000 than among 100: 1 is linear. */
export interface Growth extends Summary {
  readonly name: (typeof SERIES)[number];
}

const FROM_TOKENS = 100;
const TO_TOKENS = 10_000;

/** `rounds` has the measurements of each round in the order of `cases`. */
export const scaleRows = (cases: readonly Pick<ScaleCase, 'name' | 'tokens'>[], rounds: readonly (readonly number[])[]): ScaleRow[] =>
  cases.map(({ name, tokens }, index) => ({ name, tokens, unit: 'ns', ...summarise(rounds.map((round) => round[index]!)) }));

/** Within each round, so that what slows the whole machine down for minutes cancels out. */
export const growthOf = (cases: readonly Pick<ScaleCase, 'name' | 'tokens'>[], rounds: readonly (readonly number[])[]): Growth[] =>
  SERIES.map((name) => {
    const at = (tokens: number): number => {
      const index = cases.findIndex((each) => each.name === name && each.tokens === tokens);
      assert(index >= 0, `${name} is measured with ${tokens} tokens`);
      return index;
    };
    const [from, to] = [at(FROM_TOKENS), at(TO_TOKENS)];
    return { name, ...summarise(rounds.map((round) => round[to]! / round[from]!)) };
  });
