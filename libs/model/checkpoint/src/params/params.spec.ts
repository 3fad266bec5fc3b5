import { type ModelDescription } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../../test/memory-folder.ts';
import { MISTRAL_LARGE_3 } from '../../test/published-configs.ts';
import { TINY_PARAMS } from '../../test/tiny-models.ts';
import { describeModel } from '../checkpoint.ts';

const MOE = { num_experts: 8, num_experts_per_tok: 2 };
const descriptionOf = (params: object): Promise<ModelDescription> => describeModel(memoryFolder({ 'params.json': JSON.stringify(params) }));

describe('params.json', () => {
  it('of a dense model is a Mistral, with experts a Mixtral, with latent attention a Mistral 4', async () => {
    expect(await descriptionOf(TINY_PARAMS)).toEqual({
      family: 'mistral', vocabSize: 5, hiddenSize: 4, layerCount: 1, contextLength: 64,
      attention: { kind: 'gqa', headCount: 2, kvHeadCount: 1, headSize: 2, slidingWindow: null },
      rope: { kind: 'default', theta: 1e6 }, queryScaling: null, feedForward: { kind: 'dense', size: 3 },
      normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2], precision: 'float', predictorLayerCount: 0, vision: false,
    });
    expect(await descriptionOf({ ...TINY_PARAMS, moe: MOE })).toMatchObject({ family: 'mixtral', feedForward: { kind: 'moe', size: 3, expertCount: 8, expertsPerToken: 2, sharedSize: 0, denseLayerCount: 0 } });
    expect(await descriptionOf(MISTRAL_LARGE_3)).toMatchObject({ family: 'mistral4' });
  });

  it.each([
    ['a window as text', { sliding_window: '4096' }, { attention: { slidingWindow: 4096 } }],
    ['max_seq_len for the context', { max_position_embeddings: undefined, max_seq_len: 32 }, { contextLength: 32 }],
    ['no key for the context', { max_position_embeddings: undefined }, { contextLength: 128_000 }],
    ['YaRN that corrects the magnitude', { yarn: { factor: 4, original_max_position_embeddings: 16 } }, { rope: { kind: 'yarn', magnitude: 0.1 * Math.log(4) + 1, betaFast: 32, betaSlow: 1 } }],
    ['YaRN that does not', { yarn: { factor: 4, original_max_position_embeddings: 16, apply_scale: false } }, { rope: { kind: 'yarn', magnitude: 1 } }],
    ['a part that sees images', { vision_encoder: { hidden_size: 8 } }, { vision: true }],
    ['tied embeddings', { tied_embeddings: true }, { tiedEmbedding: true }],
    ['FP8 weights', { quantization: { qformat_weight: 'fp8_e4m3', qscheme_act: 'TENSOR' } }, { precision: 'fp8' }],
  ])('may have %s', async (_, keys, expected) => {
    expect(await descriptionOf({ ...TINY_PARAMS, ...keys })).toMatchObject(expected);
  });

  it('corrects the scores of latent attention, not cosine and sine, where YaRN asks for it', async () => {
    const { attention, rope } = await descriptionOf({ ...MISTRAL_LARGE_3, yarn: { ...MISTRAL_LARGE_3.yarn, apply_scale: true } });
    expect(attention).toMatchObject({ scoreScale: (0.1 * Math.log(36) + 1) ** 2 });
    expect(rope).toMatchObject({ magnitude: 1 });
  });

  it.each<[string, object, string]>([
    ['a Mamba', { model_type: 'mamba' }, 'model_type names a kind of model that is not implemented'],
    ['windows that differ', { sliding_window: [4096, null] }, 'sliding_window gives layers different windows, which is not implemented'],
    ['a dense layer between routed ones', { moe: { ...MOE, route_every_n: 2 } }, 'moe.route_every_n leaves layers between the routed ones dense'],
    ['an adapter', { lora: { rank: 64 } }, 'lora adds low-rank adapters, which is not implemented'],
    ['another quantisation', { quantization: { qformat_weight: 'int4' } }, 'quantization.qformat_weight says that the weights are quantised in a form that is not implemented'],
  ])('with %s is refused as unimplemented', async (_, keys, sentence) => {
    await expect(descriptionOf({ ...TINY_PARAMS, ...keys })).rejects.toMatchObject({ code: 'unimplemented', message: expect.stringContaining(`/models/tiny/params.json: ${sentence}`) as string });
  });

  it.each<[string, object, string]>([
    ['no width', { dim: undefined }, 'dim is missing; it must be an integer from 1 to 2147483647'],
    ['no theta', { rope_theta: undefined }, 'rope_theta is missing; it must be a positive number'],
    ['kv heads that do not divide the heads', { n_heads: 3, n_kv_heads: 2 }, 'n_kv_heads is 2, which does not divide the 3 of n_heads'],
    ['heads of an odd size', { head_dim: 3 }, 'head_dim is odd, which rotary positions can\'t turn'],
    ['half of the keys of latent attention', { kv_lora_rank: 4 }, 'qk_nope_head_dim is missing, although kv_lora_rank is there'],
    ['more experts a token than there are', { moe: { num_experts: 2, num_experts_per_tok: 3 } }, 'moe.num_experts_per_tok is 3, more experts than the chosen groups have'],
    ['groups that do not divide the experts', { moe: { ...MOE, num_expert_groups: 3 } }, 'moe.num_expert_groups is 3, which does not divide the 8 of num_experts'],
    ['more dense layers than layers', { moe: { ...MOE, first_k_dense_replace: 2 } }, 'moe.first_k_dense_replace is 2, more than the 1 of n_layers'],
    ['YaRN without a factor', { yarn: { original_max_position_embeddings: 16 } }, 'yarn.factor is missing; it must be a positive number'],
    ['a vocabulary without </s>', { vocab_size: 2 }, 'vocab_size is 2, but bos_token_id or eos_token_id names token 2'],
  ])('with %s is refused in a sentence that names the key', async (_, keys, sentence) => {
    await expect(descriptionOf({ ...TINY_PARAMS, ...keys })).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(sentence) as string });
  });
});
