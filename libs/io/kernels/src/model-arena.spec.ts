import { beforeAll, describe, expect, it } from 'vitest';
import { type ModelSpec, PLAIN_ROUTER, type WeightDtype } from '@essaim/core';
import { modelOf, SMALL_SPECS } from '../test/model-of.ts';
import { openModel } from '../test/open-model.ts';
import { type Arena } from './arena.ts';
import { ARENA_AT, BANK_BYTES } from './bank.ts';
import { arenaFor, checkAddressable } from './model-arena.ts';
import { kernelsModule } from './module.ts';
import { layoutsOf } from './piece-layouts.ts';

/** Mistral Large 3's sizes. */
const LARGE: ModelSpec = {
  family: 'deepseek-v3', vocabSize: 131_072, hiddenSize: 7168, layerCount: 61, contextLength: 294_912, normEpsilon: 1e-6, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
  rope: { kind: 'default', theta: 10_000 }, queryScaling: { beta: 0.1, originalContextLength: 8192 },
  attention: { kind: 'mla', headCount: 128, queryRank: 1536, latentRank: 512, plainSize: 128, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1 },
  feedForward: { kind: 'moe', size: 4096, expertCount: 128, expertsPerToken: 4, router: PLAIN_ROUTER, sharedSize: 4096, denseLayerCount: 3, denseSize: 16_384 },
};

let module: WebAssembly.Module;
beforeAll(async () => void (module = await kernelsModule()));

function check(spec: ModelSpec, { threads, dtype = 'int4', bytes = BANK_BYTES }: { readonly threads: number; readonly dtype?: WeightDtype; readonly bytes?: number }): void {
  const model = modelOf(spec, dtype);
  const layouts = layoutsOf(model);
  checkAddressable(model, layouts, { size: { arenaBytes: arenaFor(spec, layouts, { module, threads }).bytes, bytes }, threads });
}

describe('an arena', () => {
  it('has every array at a cache line of its own, one behind the other', () => {
    for (const spec of [...Object.values(SMALL_SPECS), LARGE]) {
      const model = modelOf(spec, 'int8');
      const { bytes, scratchBytes, quantisedHeadBytes, expandingBytes, ...places } = arenaFor(spec, layoutsOf(model), { module, threads: 3 }) satisfies Arena;
      const ats = Object.values(places).sort((a, b) => a - b);
      expect([ats[0], ats.every((at) => at % 64 === 0), scratchBytes % 16, quantisedHeadBytes % 64, expandingBytes % 64]).toEqual([ARENA_AT, true, 0, 0, 0]);
      expect(ARENA_AT + bytes).toBeGreaterThanOrEqual(places.scratch + 3 * scratchBytes);
      expect(places.logits - places.quantisedInner).toBeGreaterThan(0);
    }
  });

  it('of Mistral Large 3 takes a twelfth of what can be addressed, and what many threads have of their own fits beside it', () => {
    expect(arenaFor(LARGE, layoutsOf(modelOf(LARGE, 'int4')), { module, threads: 2 }).bytes).toBeLessThan(BANK_BYTES / 11);
    check(LARGE, { threads: 2, dtype: 'float32' });
    check({ ...LARGE, vocabSize: 65_536 }, { threads: 192 });
  });
});

describe('a model that is too large to address', () => {
  it.each([[LARGE, 192], [{ ...LARGE, vocabSize: 600_000 }, 2]] as const)('is refused with a sentence', (spec, threads) => {
    expect(() => check(spec, { threads })).toThrow(expect.objectContaining({
      code: 'resource_exhausted', message: expect.stringMatching(/^a part of this model has \d+ bytes at int4, and what \d+ threads compute with it takes \d+: together they are more than the 4294967296 that can be addressed at once, so use a smaller dtype or fewer threads$/) as string,
    }));
  });

  it('is not opened: no thread is left waiting for it', async () => {
    await expect(openModel(modelOf(SMALL_SPECS['grouped queries'], 'int4'), { threads: 2, bankBytes: 1 << 17 })).rejects.toMatchObject({ code: 'resource_exhausted' });
  });
});
