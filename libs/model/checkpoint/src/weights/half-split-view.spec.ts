import { describe, expect, it } from 'vitest';
import { storedTensors } from '../../test/quantised-tensors.ts';
import { floatBytes } from '../../test/write-safetensors.ts';
import { HalfSplitView } from './half-split-view.ts';
import { StoredView } from './stored-view.ts';

/** Rows whose one value is their place. */
async function rows(count: number, headSize: number) {
  const stored = await storedTensors([{ name: 'wq', dtype: 'F32', shape: [count, 1], bytes: floatBytes(Array.from({ length: count }, (_, row) => row)) }]);
  const interleaved = StoredView.of(stored.tensor('wq'));
  return { view: new HalfSplitView(interleaved, headSize), interleaved, takeReads: stored.takeReads };
}

describe('HalfSplitView', () => {
  it('brings the even rows of each head before the odd ones', async () => {
    const { view } = await rows(12, 6);
    expect([...(await view.read(0, 12))]).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });

  it('turns the same pairs by the same angles as the interleaved rotation', async () => {
    const headSize = 8;
    const { view, interleaved } = await rows(headSize, headSize);
    const [halves, pairs] = [await view.read(0, headSize), await interleaved.read(0, headSize)];
    const angle = (pair: number): number => 0.3 ** pair;
    for (let pair = 0; pair < headSize / 2; pair++) {
      const turn = (x: number, y: number): number[] => [x * Math.cos(angle(pair)) - y * Math.sin(angle(pair)), x * Math.sin(angle(pair)) + y * Math.cos(angle(pair))];
      expect(turn(halves[pair]!, halves[pair + headSize / 2]!)).toEqual(turn(pairs[2 * pair]!, pairs[2 * pair + 1]!));
    }
  });

  it('gives any rows as they are in the whole, and reads the heads they lie in only', async () => {
    const { view, takeReads } = await rows(16, 4);
    const whole = await view.read(0, 16);
    takeReads();
    for (const [first, count] of [[0, 1], [3, 2], [5, 3], [4, 8], [15, 1]] as const) expect(await view.read(first, count)).toEqual(whole.slice(first, first + count));
    expect(takeReads()).toEqual([[0, 16], [0, 32], [16, 16], [16, 32], [48, 16]]);
    expect(await view.read(16, 0)).toEqual(new Float32Array());
  });

  it('has a fingerprint of its own, and refuses rows that are no heads', async () => {
    const { view, interleaved } = await rows(8, 4);
    const prints = [view, interleaved, new HalfSplitView(interleaved, 8)].map((each) => each.fingerprint());
    expect(new Set(await Promise.all(prints)).size).toBe(3);
    expect(() => new HalfSplitView(interleaved, 3)).toThrow('assertion failed: the 8 rows of wq are heads of 3');
    await expect(view.read(7, 2)).rejects.toThrow('assertion failed: rows 7 to 9 of wq are within its 8');
  });
});
