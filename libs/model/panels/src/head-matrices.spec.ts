import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LatentAttention, type TensorView } from '@essaim/core';
import { headMatrices } from './head-matrices.ts';

const LATENT: LatentAttention = { kind: 'mla', headCount: 2, queryRank: null, latentRank: 5, plainSize: 3, rotarySize: 2, valueSize: 4, normEpsilon: 1e-6, rotaryPairs: 'halves', scoreScale: 1 };

interface CountedView extends TensorView {
  readonly fingerprints: number;
}

/** The value at (row, column) is row + column / 100. */
function upOf({ headCount, plainSize, valueSize, latentRank }: LatentAttention): CountedView {
  const rows = headCount * (plainSize + valueSize);
  const view = {
    name: 'up', rows, columns: latentRank, dtype: 'bf16' as const, fingerprints: 0,
    fingerprint: () => Promise.resolve(`up ${++view.fingerprints}`),
    read: (first: number, count: number) => Promise.resolve(Float32Array.from({ length: count * latentRank }, (_, index) => first + Math.floor(index / latentRank) + (index % latentRank) / 100)),
  };
  return view;
}

const shapes = fc.record({ headCount: fc.integer({ min: 1, max: 5 }), plainSize: fc.integer({ min: 1, max: 9 }), valueSize: fc.integer({ min: 1, max: 9 }), latentRank: fc.integer({ min: 1, max: 9 }) });

describe('the matrices of each head', () => {
  it('are its rows of the stored one, those of the key turned, whichever rows of them are read', async () => {
    await fc.assert(fc.asyncProperty(shapes, fc.nat(100), fc.nat(100), async (shape, from, length) => {
      const attention = { ...LATENT, ...shape };
      const { keyUp, valueUp } = headMatrices(upOf(attention), attention);
      expect([keyUp.length, valueUp.length]).toEqual([shape.headCount, shape.headCount]);
      for (let head = 0; head < shape.headCount; head++) {
        const first = head * (shape.plainSize + shape.valueSize);
        const [key, value] = [keyUp[head]!, valueUp[head]!];
        expect([key.rows, key.columns, value.rows, value.columns, key.dtype]).toEqual([shape.latentRank, shape.plainSize, shape.valueSize, shape.latentRank, 'bf16']);
        await expectRows(key, (row, column) => first + column + row / 100, from, length);
        await expectRows(value, (row, column) => first + shape.plainSize + row + column / 100, from, length);
      }
    }));
  });

  it('each have a fingerprint of their own, and the stored tensor is looked at once for all of them', async () => {
    const up = upOf(LATENT);
    const { keyUp, valueUp } = headMatrices(up, LATENT);
    const fingerprints = await Promise.all([...keyUp, ...valueUp].map((view) => view.fingerprint()));
    expect([new Set(fingerprints).size, up.fingerprints]).toEqual([4, 1]);
    for (const fingerprint of fingerprints) expect(fingerprint).toContain('up 1');
  });
});

/** Some rows of a view, from `from` on where it has as many. */
async function expectRows(view: TensorView, at: (row: number, column: number) => number, from: number, length: number): Promise<void> {
  const first = from % view.rows;
  const count = 1 + (length % (view.rows - first));
  expect(await view.read(first, count)).toEqual(Float32Array.from({ length: count * view.columns }, (_, index) => at(first + Math.floor(index / view.columns), index % view.columns)));
}
