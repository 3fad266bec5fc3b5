import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { assert, type ModelSpec, STORED_DTYPES, WEIGHT_DTYPES } from '@essaim/core';
import { countingModel, type CountingModel } from '../test/counting-model.ts';
import { type CompiledModel, compilePiece, expertPieces, type Graph, graphDigest, leadPieces, type PieceKey, pieceName, type PlacedWeight } from './index.ts';

const piecesOf = ({ spec }: CountingModel): PieceKey[] => [...leadPieces(spec), ...expertPieces(spec)];
const digestOf = (model: CountingModel, key: PieceKey): Promise<string> => graphDigest(graphOf(model, key));
/** The only one of a piece, or the first. */
const graphOf = (model: CountingModel, key: PieceKey): Graph => compilePiece(model, key)[0]!;
const graphsOf = (model: CountingModel): Graph[] => piecesOf(model).flatMap((key) => compilePiece(model, key));
const HEAD: PieceKey = { kind: 'head' };

/** Size and content of what a weight becomes. */
async function contentOf({ chunks }: PlacedWeight): Promise<{ readonly bytes: number; readonly hash: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks()) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, hash: hash.digest('hex') };
}

describe('the pieces of a model', () => {
  it('have names of their own: the dense part, and every expert of every layer', () => {
    const moe = piecesOf(countingModel({ dtype: 'int4' })).map(pieceName);
    expect(moe).toEqual([
      'embed', 'layer.0', 'layer.1', 'head', 'expert.0.0', 'expert.0.1', 'expert.0.2', 'expert.1.0', 'expert.1.1', 'expert.1.2',
    ]);
    expect(expertPieces(countingModel({ dtype: 'int4', isDense: true }).spec)).toEqual([]);
    const { spec } = countingModel({ dtype: 'int4' });
    assert(spec.feedForward.kind === 'moe', 'the model has experts');
    const mixed: ModelSpec = { ...spec, feedForward: { ...spec.feedForward, denseLayerCount: 1, denseSize: 20, sharedSize: 20 } };
    expect(leadPieces(mixed).map(pieceName).filter((name) => name.startsWith('dense'))).toEqual(['dense.0', 'dense.1']);
    expect(expertPieces(mixed).map(pieceName)).toEqual(['expert.1.0', 'expert.1.1', 'expert.1.2']);
  });

  it('that the model does not have are a bug', () => {
    const dense = countingModel({ dtype: 'int4', isDense: true });
    expect(() => compilePiece(dense, { kind: 'expert', layer: 0, expert: 0 })).toThrow('assertion failed');
    expect(() => compilePiece(dense, { kind: 'layer', layer: 2 })).toThrow('assertion failed');
    expect(() => compilePiece(countingModel({ dtype: 'int4' }), { kind: 'expert', layer: 0, expert: 3 })).toThrow('assertion failed');
  });
});

describe('a model with', () => {
  it('shared experts has them as the network that every token passes', () => {
    const [routed, dense] = [countingModel({ dtype: 'int4' }), countingModel({ dtype: 'int4', isDense: true })];
    const [layer, { feedForward: shared }] = [routed.weights.layers[0]!, dense.weights.layers[0]!];
    assert(layer.feedForward.kind === 'moe' && shared.kind === 'dense', 'one model is routed, the other dense');
    const sharing = { ...routed, weights: { ...routed.weights, layers: [{ ...layer, feedForward: { ...layer.feedForward, shared } }] } };
    const sourcesOf = (model: CompiledModel) => compilePiece(model, { kind: 'dense', layer: 0 })[0]!.weights.flatMap(({ sources }) => sources.map(({ name }) => name));
    expect(sourcesOf(sharing)).toEqual(sourcesOf(dense));
  });
});

describe.each(WEIGHT_DTYPES)('the weights of each piece at %s', (dtype) => {
  it.each([true, false])('lie one behind the other on pages of their own, as large as promised (dense: %s)', async (isDense) => {
    const model = countingModel({ dtype, isDense });
    for (const { weights, weightBytes } of graphsOf(model)) {
      let end = 0;
      for (const weight of weights) {
        expect(weight.offset % 4096).toBe(0);
        expect(weight.offset).toBeGreaterThanOrEqual(end);
        end = weight.offset + weight.byteLength;
        expect((await contentOf(weight)).bytes).toBe(weight.byteLength);
      }
      expect(weightBytes).toBeGreaterThanOrEqual(end);
    }
  });

  it('are the same in whatever order, and however often, they are asked for', async () => {
    const model = countingModel({ dtype });
    for (const [nth, { weights: forward }] of graphsOf(model).entries()) {
      const contents = [];
      for (const weight of forward) contents.push(await contentOf(weight));
      const backward = graphsOf(model)[nth]!.weights;
      for (const weight of backward.toReversed()) expect(await contentOf(weight)).toEqual(contents[backward.indexOf(weight)]);
      for (const [place, weight] of forward.entries()) expect(await contentOf(weight)).toEqual(contents[place]);
    }
  });

  it('are read once each, every row of them, and only when they are written', async () => {
    const model = countingModel({ dtype });
    for (const key of piecesOf(model)) await digestOf(model, key);
    expect(model.reads).toEqual([]);
    for (const { weights } of graphsOf(model)) for (const weight of weights) await contentOf(weight);
    const names = model.reads.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(model.reads.map(({ first }) => first)).toEqual(names.map(() => 0));
  });

  it('are read a few megabytes at a time', async () => {
    const model = countingModel({ dtype, hiddenSize: 4096, vocabSize: 700 });
    for (const weight of graphOf(model, HEAD).weights) await contentOf(weight);
    const reads = model.reads.filter(({ name }) => name === 'head');
    expect(reads.reduce((next, { first, count }) => (expect(first).toBe(next), next + count), 0)).toBe(700);
    for (const { count } of reads) expect(count * 4096 * 4).toBeLessThanOrEqual(4 << 20);
  });
});

describe.each(WEIGHT_DTYPES)('computing in float16, at %s', (dtype) => {
  it('halves float32 matrices and scales, but those of the router and of what is sampled from', () => {
    const model = countingModel({ dtype });
    for (const key of piecesOf(model)) {
      const [halves, wholes] = [{ ...model, compute: 'f16' as const }, model].map((each) => compilePiece(each, key).flatMap(({ weights }) => weights));
      wholes!.forEach(({ type, dims, sources, byteLength }, nth) => {
        const isExact = key.kind === 'embed' || key.kind === 'head' || type !== 'f32' || sources[0]!.rows === 1 || sources[0]!.name.endsWith('router');
        expect(halves![nth]).toMatchObject(isExact ? { type, dims, byteLength } : { type: 'f16', dims, byteLength: byteLength / 2 });
      });
    }
  });
});

describe.each(WEIGHT_DTYPES)('for a device that takes small tensors alone, at %s', (dtype) => {
  /** What tensors of one rank hold, one behind the other: codes have three dimensions, float32 matrices two, scales and vectors one. */
  async function bytesByRank(weights: readonly PlacedWeight[]): Promise<readonly string[]> {
    const hashes = [1, 2, 3].map(() => createHash('sha256'));
    for (const { dims, chunks } of weights) for await (const chunk of chunks()) hashes[dims.length - 1]!.update(chunk);
    return hashes.map((hash) => hash.digest('hex'));
  }

  it('matrices become several, by rows, with the same bytes', async () => {
    const whole = countingModel({ dtype });
    const split: CompiledModel = { ...whole, tensorBytes: 500 };
    for (const key of piecesOf(whole).filter(({ kind }) => kind !== 'embed')) {
      const [parts, wholes] = [split, whole].map((model) => compilePiece(model, key).flatMap(({ weights }) => weights));
      expect(parts!.length).toBeGreaterThan(wholes!.length);
      for (const { byteLength } of parts!) expect(byteLength).toBeLessThanOrEqual(500);
      expect(await bytesByRank(parts!)).toEqual(await bytesByRank(wholes!));
    }
  });
});

describe('the embedding', () => {
  it.each(STORED_DTYPES)('stays in the form in which the checkpoint has it: %s', async (stored) => {
    const model = countingModel({ dtype: 'int4', stored });
    const [table] = graphOf(model, { kind: 'embed' }).weights;
    expect(table!.type).toBe(stored);
    expect((await contentOf(table!)).bytes).toBe(50 * 40 * (stored === 'f32' ? 4 : 2));
  });
});

describe('the digest of a graph', () => {
  it('is the same for the same model, and another one for each piece', async () => {
    const model = countingModel({ dtype: 'int8' });
    const digests: string[] = [];
    for (const key of piecesOf(model)) digests.push(await digestOf(model, key));
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const same = countingModel({ dtype: 'int8' });
    for (const [nth, key] of piecesOf(same).entries()) expect(await digestOf(same, key)).toBe(digests[nth]);
  });

  it.each([
    ['the file', { version: '2' }], ['the dtype', { dtype: 'int8' as const }], ['a width', { hiddenSize: 48 }],
  ])('changes with %s', async (_what, change) => {
    expect(await digestOf(countingModel({ dtype: 'int4', ...change }), HEAD)).not.toBe(await digestOf(countingModel({ dtype: 'int4' }), HEAD));
  });

  it('of what has no quantised weights is shared by all dtypes', async () => {
    const [embedding, router] = [{ kind: 'embed' }, { kind: 'layer', layer: 0 }] as const;
    const digests = await Promise.all(WEIGHT_DTYPES.map((dtype) => digestOf(countingModel({ dtype }), embedding)));
    expect(new Set(digests).size).toBe(1);
    expect(await digestOf(countingModel({ dtype: 'int4' }), router)).not.toBe(await digestOf(countingModel({ dtype: 'int8' }), router));
  });
});
