import { describe, expect, it } from 'vitest';
import { MISTRAL_LARGE_3, MIXTRAL_8X7B } from '../test/samples.ts';
import { modelSize } from './model-size.ts';

describe('the size of Mixtral 8x7B', () => {
  it('is what is published, to the weight', () => {
    expect(modelSize(MIXTRAL_8X7B, 'bf16')).toMatchObject({ totalWeights: 46_702_792_704, activeWeights: 12_879_925_248 });
  });

  it('in int4 counts a bfloat16 scale for each block of 32', () => {
    expect(modelSize(MIXTRAL_8X7B, 'int4').expertBytes).toBe(3 * 4096 * 14_336 * 0.5625);
  });

  it('keeps 8 heads of 128 keys and values a layer and token', () => {
    expect(modelSize(MIXTRAL_8X7B, 'int4').kvBytesPerToken).toBe(32 * 2 * 8 * 128 * 2);
    expect(modelSize(MIXTRAL_8X7B, 'float32').kvBytesPerToken).toBe(32 * 2 * 8 * 128 * 4);
    expect(modelSize(MIXTRAL_8X7B, 'int4', 'f32').kvBytesPerToken).toBe(32 * 2 * 8 * 128 * 4);
  });

  it('has a tied head beside the embedding in memory, and once among the weights', () => {
    const [untied, tied] = [modelSize(MIXTRAL_8X7B, 'int8'), modelSize({ ...MIXTRAL_8X7B, tiedEmbedding: true }, 'int8')];
    expect(tied.denseBytes).toBe(untied.denseBytes);
    expect(untied.totalWeights - tied.totalWeights).toBe(32_000 * 4096);
  });
});

describe('the size of Mistral Large 3', () => {
  it('is the 673 billion weights of its text part as published', () => {
    expect(modelSize(MISTRAL_LARGE_3, 'fp8').totalWeights / 1e9).toBeCloseTo(673, -0.5);
  });

  it('in fp8 has a scale for each 128 x 128 of an expert', () => {
    const matrix = 7168 * 4096;
    expect(modelSize(MISTRAL_LARGE_3, 'fp8').expertBytes).toBe(3 * (matrix + (4 * matrix) / 128 ** 2));
  });

  it('caches the latent and the rotated key alone', () => {
    expect(modelSize(MISTRAL_LARGE_3, 'fp8').kvBytesPerToken).toBe(61 * (512 + 64) * 2);
  });

  it('has shared experts and dense layers in the dense part', () => {
    const attention = 1536 * 7168 + 128 * 192 * 1536 + 576 * 7168 + 128 * 256 * 512 + 7168 * 128 * 128;
    const feedForward = 3 * 3 * 7168 * 16_384 + 58 * 3 * 7168 * 4096;
    expect(modelSize(MISTRAL_LARGE_3, 'fp8').denseFlops).toBe(2 * (61 * attention + feedForward + 131_072 * 7168));
  });
});

it('a dense model has no experts', () => {
  const size = modelSize({ ...MIXTRAL_8X7B, feedForward: { kind: 'dense', size: 14_336 } }, 'float32');
  expect(size).toMatchObject({ routedLayerCount: 0, expertBytes: 0, expertFlops: 0 });
  expect(size.totalWeights).toBe(size.activeWeights);
});
