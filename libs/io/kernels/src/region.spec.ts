import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Region } from './region.ts';

const FIRST = 128;
const BYTES = 64 * 40;

interface Part {
  readonly at: number;
  readonly bytes: number;
}

const rounded = (bytes: number): number => Math.max(64, Math.ceil(bytes / 64) * 64);

/** What is between the taken parts, in order. */
function holesBetween(taken: readonly Part[]): Part[] {
  const ends = [...taken].sort((a, b) => a.at - b.at);
  return [...ends, { at: FIRST + BYTES, bytes: 0 }].map(({ at }, nth) => {
    const end = nth === 0 ? FIRST : ends[nth - 1]!.at + ends[nth - 1]!.bytes;
    return { at: end, bytes: at - end };
  }).filter(({ bytes }) => bytes > 0);
}

/** `give` counts round what is taken. */
const acts = fc.array(fc.oneof(fc.integer({ min: 0, max: 400 }).map((take) => ({ take })), fc.nat(100).map((give) => ({ give }))), { maxLength: 80, size: 'max' });

describe('a region', () => {
  it('takes the smallest hole that is large enough, at a cache line, and knows what is taken, whatever came before', () => {
    fc.assert(fc.property(acts, (history) => {
      const region = new Region(FIRST, FIRST + BYTES);
      const taken: Part[] = [];
      for (const act of history) {
        if ('take' in act) {
          const bytes = rounded(act.take);
          const fitting = holesBetween(taken).filter((hole) => hole.bytes >= bytes).map((hole) => hole.bytes);
          const at = region.take(act.take);
          if (at === null) {
            expect(fitting).toEqual([]);
            continue;
          }
          const hole = holesBetween(taken).find((each) => each.at === at);
          expect(hole?.bytes).toBe(Math.min(...fitting));
          expect(at % 64).toBe(0);
          taken.push({ at, bytes });
        } else {
          const [part] = taken.splice(act.give % Math.max(1, taken.length), 1);
          if (part !== undefined) region.give(part.at);
        }
        expect(region.taken).toBe(taken.reduce((sum, { bytes }) => sum + bytes, 0));
      }
      for (const { at } of taken) region.give(at);
      expect([region.taken, region.take(BYTES)]).toEqual([0, FIRST]);
    }));
  });

  it('has nothing left when all is taken, and all of it again when that is given back', () => {
    const region = new Region(FIRST, FIRST + 192);
    expect([region.take(64), region.take(65), region.take(1)]).toEqual([FIRST, FIRST + 64, null]);
    region.give(FIRST);
    expect(region.take(65)).toBeNull();
    region.give(FIRST + 64);
    expect(region.take(192)).toBe(FIRST);
  });

  it('may be empty', () => {
    expect(new Region(FIRST, FIRST).take(1)).toBeNull();
  });

  it('refuses what was not taken, or was given back', () => {
    const region = new Region(FIRST, FIRST + BYTES);
    const at = region.take(10)!;
    expect(() => region.give(at + 64)).toThrow('what is given back was taken');
    region.give(at);
    expect(() => region.give(at)).toThrow('what is given back was taken');
    expect(() => new Region(FIRST, 64)).toThrow('before its end');
  });
});
