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
  it('are its rows of the stored one, those of the key as they are and turned, whichever rows of them are read', async () => {
    await fc.assert(fc.asyncProperty(shapes, fc.nat(100), fc.nat(100), async (shape, from, length) => {
      const attention = { ...LATENT, ...shape };
      const { keyUp, up } = headMatrices(upOf(attention), attention);
      expect([keyUp.length, up.length]).toEqual([shape.headCount, 2 * shape.headCount]);
      for (let head = 0; head < shape.headCount; head++) {
        const first = head * (shape.plainSize + shape.valueSize);
        const [turned, value, key] = [keyUp[head]!, up[2 * head]!, up[2 * head + 1]!];
        expect([turned.rows, turned.columns, turned.dtype]).toEqual([shape.latentRank, shape.plainSize, 'bf16']);
        expect([value.rows, value.columns, key.rows, key.columns]).toEqual([shape.valueSize, shape.latentRank, shape.plainSize, shape.latentRank]);
        await expectRows(turned, (row, column) => first + column + row / 100, from, length);
        await expectRows(key, (row, column) => first + row + column / 100, from, length);
        await expectRows(value, (row, column) => first + shape.plainSize + row + column / 100, from, length);
      }
    }));
  });

  it('each have a fingerprint of their own, and the stored tensor is looked at once for all of them', async () => {
    const up = upOf(LATENT);
    const matrices = headMatrices(up, LATENT);
    const fingerprints = await Promise.all([...matrices.keyUp, ...matrices.up].map((view) => view.fingerprint()));
    expect([new Set(fingerprints).size, up.fingerprints]).toEqual([6, 1]);
    for (const fingerprint of fingerprints) expect(fingerprint).toContain('up 1');
  });
});

/** Some rows of a view, from `from` on where it has as many. */
async function expectRows(view: TensorView, at: (row: number, column: number) => number, from: number, length: number): Promise<void> {
  const first = from % view.rows;
  const count = 1 + (length % (view.rows - first));
  expect(await view.read(first, count)).toEqual(Float32Array.from({ length: count * view.columns }, (_, index) => at(first + Math.floor(index / view.columns), index % view.columns)));
}
