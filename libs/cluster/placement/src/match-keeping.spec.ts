import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchKeeping, type MatchingProblem } from './match-keeping.ts';

/** Problems that have an answer: rooms for exactly the needs, no room larger than the number of rows. */
const problems: fc.Arbitrary<MatchingProblem> = fc
  .array(fc.array(fc.record({ kept: fc.boolean(), wanted: fc.boolean() }), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 4 })
  .map((cells) => ({
    needs: cells.map((row) => row.filter(({ wanted }) => wanted).length),
    rooms: [0, 1, 2].map((column) => cells.filter((row) => row[column]!.wanted).length),
    kept: cells.map((row) => row.map(({ kept }) => kept)),
  }));

const columnSums = (pairs: readonly (readonly boolean[])[]): number[] => [0, 1, 2].map((column) => pairs.filter((row) => row[column]).length);
const bought = ({ kept }: MatchingProblem, pairs: readonly (readonly boolean[])[]): number => pairs.flatMap((row, index) => row.filter((pair, column) => pair && !kept[index]![column])).length;

/** Every matrix of pairs of that many rows. */
function* matrices(rows: number): Generator<boolean[][]> {
  for (let bits = 0; bits < 1 << (3 * rows); bits++) yield Array.from({ length: rows }, (_, row) => [0, 1, 2].map((column) => ((bits >> (3 * row + column)) & 1) === 1));
}

it('meets every need within every room, at the least number of new pairs that exists', () => {
  fc.assert(fc.property(problems, (problem) => {
    const pairs = matchKeeping(problem);
    expect(pairs.map((row) => row.filter(Boolean).length)).toEqual(problem.needs);
    expect(columnSums(pairs)).toEqual(problem.rooms);
    let least = Infinity;
    for (const other of matrices(problem.needs.length)) {
      const fits = other.every((row, index) => row.filter(Boolean).length === problem.needs[index]) && columnSums(other).every((sum, column) => sum === problem.rooms[column]);
      if (fits) least = Math.min(least, bought(problem, other));
    }
    expect(bought(problem, pairs)).toBe(least);
  }), { numRuns: 50 });
});

it('takes it for a bug when there is no room for a need', () => {
  expect(() => matchKeeping({ needs: [2], rooms: [1], kept: [[false]] })).toThrow(/assertion failed/);
});
