import { describe, expect, it } from 'vitest';
import { WEIGHT_DTYPES } from '@essaim/core';
import { tinyModel, type TinyOptions } from '../test/tiny-model.ts';
import { expertPieces, leadPieces, panelDigest, type PanelPiece } from './index.ts';

const HEAD: PanelPiece = { kind: 'head' };
const digestsOf = async (options: TinyOptions): Promise<string[]> => {
  const model = tinyModel(options);
  const digests: string[] = [];
  for (const piece of [...leadPieces(model.spec), ...expertPieces(model.spec)]) digests.push(await panelDigest(model, piece));
  expect(model.reads).toEqual([]);
  return digests;
};

describe('the digest of a piece', () => {
  it('is the same for the same model, and another one for each piece', async () => {
    const digests = await digestsOf({ dtype: 'int8' });
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestsOf({ dtype: 'int8' })).toEqual(digests);
  });

  it.each([
    ['the file', { version: '2' }], ['the dtype', { dtype: 'int8' as const }], ['a width', { hiddenSize: 48 }],
  ])('changes with %s', async (_what, change) => {
    expect(await panelDigest(tinyModel({ dtype: 'int4', ...change }), HEAD)).not.toBe(await panelDigest(tinyModel({ dtype: 'int4' }), HEAD));
  });

  it('changes with the form in which the checkpoint has the embedding, whatever its fingerprint says', async () => {
    const digests = await Promise.all((['f32', 'f16', 'bf16'] as const).map((stored) => panelDigest(tinyModel({ dtype: 'int4', stored }), { kind: 'embed' })));
    expect(new Set(digests).size).toBe(3);
  });

  it('of what has no quantised weights is shared by all dtypes', async () => {
    const digests = await Promise.all(WEIGHT_DTYPES.map((dtype) => panelDigest(tinyModel({ dtype }), { kind: 'embed' })));
    expect(new Set(digests).size).toBe(1);
  });
});
