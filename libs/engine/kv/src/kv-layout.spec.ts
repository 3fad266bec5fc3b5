import { type Attention, KV_DTYPES, type KvDtype, type ModelSpec } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { matrix } from '../test/rows.ts';
import { kvBytesPerToken, kvLayoutOf } from './kv-layout.ts';
import { KvPool } from './kv-pool.ts';

const LATENT: Attention = {
  kind: 'mla', headCount: 4, queryRank: null, latentRank: 6, plainSize: 8, rotarySize: 4, valueSize: 8, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1,
};
const GROUPED: Attention = { kind: 'gqa', headCount: 8, kvHeadCount: 2, headSize: 16, slidingWindow: null };
const layoutOf = (attention: Attention, dtype: KvDtype, slices?: number) => kvLayoutOf({ layerCount: 2, attention } as ModelSpec, dtype, slices);

describe('what a token keeps', () => {
  it('of grouped queries is a key and a value for each group, by themselves unless asked otherwise', () => {
    expect(layoutOf(GROUPED, 'f32')).toEqual({ layerCount: 2, dtype: 'f32', keyWidth: 32, valueWidth: 32, slices: 2 });
    expect(layoutOf(GROUPED, 'f32', 1)).toMatchObject({ slices: 1 });
    expect(KV_DTYPES.map((dtype) => kvBytesPerToken(layoutOf(GROUPED, dtype)))).toEqual([2 * 64 * 4, 2 * 64 * 2]);
  });

  it('of latent attention is one latent and one rotated key, and nothing else', () => {
    expect(layoutOf(LATENT, 'f32')).toEqual({ layerCount: 2, dtype: 'f32', keyWidth: 10, valueWidth: 0, slices: 1 });
    expect(KV_DTYPES.map((dtype) => kvBytesPerToken(layoutOf(LATENT, dtype)))).toEqual([2 * 10 * 4, 2 * 10 * 2]);
    expect(() => layoutOf(LATENT, 'f32', 2)).toThrow('assertion failed');
  });

  it('is kept, grows and is copied for who begins the same also where it has no values of its own', () => {
    const layout = layoutOf(LATENT, 'f32');
    const pool = new KvPool(layout, 1000 * kvBytesPerToken(layout));
    const first = pool.reserve(300)!;
    const ids = Array.from({ length: 200 }, (_, id) => id);
    for (let done = 0; done < 200; done += 50) {
      for (let layer = 0; layer < 2; layer++) first.append(layer, 50, { keys: matrix(50, 10, 1000 * layer + done), values: new Float32Array(0) });
      first.commit(ids.slice(done, done + 50));
    }
    const second = pool.reserve(300, ids)!;
    expect(second.length).toBe(200);
    for (const [layer, nth] of [[0, 0], [1, 3]] as const) expect(second.keys(layer, 50 * nth, 50 * nth + 50)).toEqual(matrix(50, 10, 1000 * layer + 50 * nth));
    expect(second.values(1, 0, 200)).toHaveLength(0);
    pool.checkIntegrity();
  });
});
