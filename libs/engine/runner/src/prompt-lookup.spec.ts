import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PromptLookup } from './prompt-lookup.ts';

const guess = (tokens: readonly number[], count: number): number[] => new PromptLookup(tokens).guess(count);

/** By trying every earlier place, the latest first. */
function slowGuess(tokens: readonly number[], count: number): number[] {
  for (const length of [3, 2]) {
    const run = tokens.slice(-length).join();
    for (let place = tokens.length - 1; place >= length; place--) {
      if (tokens.slice(place - length, place).join() !== run) continue;
      const guesses = [...tokens];
      for (let index = 0; index < count; index++) guesses.push(guesses[place + index]!);
      return guesses.slice(tokens.length);
    }
  }
  return [];
}

describe('a prompt lookup', () => {
  it('goes on as behind the latest earlier place of the last three tokens', () => {
    expect(guess([1, 2, 3, 4, 5, 1, 2, 3, 6, 7, 1, 2, 3], 2)).toEqual([6, 7]);
  });

  it('prefers three tokens that are far to two that are near', () => {
    expect(guess([1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3], 1)).toEqual([4]);
    expect(guess([1, 2, 3, 4, 9, 2, 3, 5, 8, 2, 3], 1)).toEqual([5]);
  });

  it('guesses nothing where the last two tokens are new', () => {
    for (const tokens of [[], [1], [1, 1], [1, 2, 3, 4], [1, 2, 1]]) expect(guess(tokens, 4)).toEqual([]);
  });

  it('goes on repeating what repeats', () => {
    expect(guess([7, 8, 1, 2, 1, 2], 5)).toEqual([1, 2, 1, 2, 1]);
    expect(guess([4, 4, 4], 3)).toEqual([4, 4, 4]);
  });

  it('finds what trying every place finds, however the tokens come in', () => {
    const anyTokens = fc.array(fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom(131_071, 2 ** 31 - 1)), { maxLength: 60 });
    fc.assert(fc.property(anyTokens, fc.array(fc.nat(60)), fc.integer({ min: 1, max: 8 }), (all, stops, count) => {
      const tokens: number[] = [];
      const lookup = new PromptLookup(tokens);
      for (const [index, token] of all.entries()) {
        tokens.push(token);
        if (stops.includes(index)) expect(lookup.guess(count)).toEqual(slowGuess(tokens, count));
      }
      expect(lookup.guess(count)).toEqual(slowGuess(tokens, count));
    }));
  });
});
