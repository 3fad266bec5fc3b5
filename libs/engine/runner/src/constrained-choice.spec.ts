import { describe, expect, it } from 'vitest';
import { ConstrainedChoice, type Matcher } from './constrained-choice.ts';

/** The answer is one of these, of tokens from 0 to 39. */
class Listed implements Matcher {
  readonly #answers: readonly (readonly number[])[];
  #soFar: readonly number[] = [];

  constructor(...answers: readonly (readonly number[])[]) {
    this.#answers = answers;
  }

  get isComplete(): boolean {
    return this.#going.some(({ length }) => length === this.#soFar.length);
  }

  get isOver(): boolean {
    return this.#going.every(({ length }) => length === this.#soFar.length);
  }

  mask(): Uint32Array {
    const bits = new Uint32Array(2);
    for (const answer of this.#going) {
      const id = answer[this.#soFar.length];
      if (id !== undefined) bits[id >>> 5]! |= 1 << (id & 31);
    }
    return bits;
  }

  accept(id: number): boolean {
    const isPossible = this.reach([id]) === 1;
    if (isPossible) this.#soFar = [...this.#soFar, id];
    return isPossible;
  }

  reach(ids: readonly number[]): number {
    const lengths = this.#going.map((answer) => ids.findIndex((id, place) => answer[this.#soFar.length + place] !== id));
    return Math.max(...lengths.map((length) => (length === -1 ? ids.length : length)));
  }

  get #going(): readonly (readonly number[])[] {
    return this.#answers.filter((answer) => this.#soFar.every((id, place) => answer[place] === id));
  }
}

const STOP = 39;
const idsOf = (bits: Uint32Array): number[] => Array.from({ length: 40 }, (_, id) => id).filter((id) => (bits[id >>> 5]! >>> (id & 31)) & 1);
const choosable = (choice: ConstrainedChoice, mayStop = true): number[] => idsOf(choice.allowed({ mayStop }));

describe('a choice that is held to something', () => {
  it('has the end among its tokens exactly where the answer may end', () => {
    const choice = new ConstrainedChoice(new Listed([1, 33], [1, 33, 2], [STOP, 5]), new Set([STOP]));
    expect(choosable(choice)).toEqual([1]);
    choice.accept(1);
    expect(choosable(choice)).toEqual([33]);
    choice.accept(33);
    expect([choosable(choice), choosable(choice, false), choice.isOver]).toEqual([[2, STOP], [2], false]);
    choice.accept(2);
    // Where nothing can follow it ends, whatever else is asked.
    expect([choosable(choice), choosable(choice, false), choice.isOver]).toEqual([[STOP], [STOP], true]);
  });

  it('leaves out guesses from the first on that can\'t be right', () => {
    const choice = new ConstrainedChoice(new Listed([1, 2, 3], [1, 4]), new Set());
    expect([[1, 2, 3], [1, 4, 3], [2], []].map((ids) => choice.possible(ids))).toEqual([[1, 2, 3], [1, 4], [], []]);
    expect(choosable(choice)).toEqual([1]);
  });

  it('says so where no token can follow, and where a token is there that can\'t be', () => {
    const stuck = new ConstrainedChoice({ isComplete: false, isOver: false, mask: () => new Uint32Array(2), accept: () => false, reach: () => 0 }, new Set([STOP]));
    expect(() => stuck.allowed({ mayStop: true })).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('no token of this model') as string }) as Error);
    expect(() => stuck.accept(3)).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('token 3') as string }) as Error);
    const endless = new ConstrainedChoice({ isComplete: true, isOver: false, mask: () => new Uint32Array(2), accept: () => false, reach: () => 0 }, new Set());
    expect(() => endless.allowed({ mayStop: true })).toThrow('no token of this model');
  });
});
