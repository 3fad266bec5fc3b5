import { type ModelDescription } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../test/memory-folder.ts';
import { DEEPSEEK_V3, MINISTRAL_3, MISTRAL_LARGE_3, MISTRAL_SMALL_4, MIXTRAL_8X22B } from '../test/published-configs.ts';
import { describeModel, readModelSpec } from './checkpoint.ts';

const describeConfig = (config: object): Promise<ModelDescription> => describeModel(memoryFolder({ 'config.json': JSON.stringify(config) }));
const describeParams = (params: object): Promise<ModelDescription> => describeModel(memoryFolder({ 'params.json': JSON.stringify(params) }));

describe('the description of', () => {
  it('Mistral Large 3 has all that its params.json says, and no correction of the magnitude', async () => {
    expect(await describeParams(MISTRAL_LARGE_3)).toEqual({
      family: 'mistral4', vocabSize: 131072, hiddenSize: 7168, layerCount: 61, contextLength: 294912,
      attention: {
        kind: 'mla', headCount: 128, queryRank: 1536, latentRank: 512, plainSize: 128, rotarySize: 64, valueSize: 128, normEpsilon: 1e-6, rotaryPairs: 'interleaved', scoreScale: 1,
      },
      rope: { kind: 'yarn', theta: 10000, factor: 36, originalContextLength: 8192, betaFast: 32, betaSlow: 1, magnitude: 1 },
      queryScaling: { beta: 0.1, originalContextLength: 8192 },
      feedForward: {
        kind: 'moe', size: 4096, expertCount: 128, expertsPerToken: 4, sharedSize: 4096, denseLayerCount: 3, denseSize: 16384,
        router: { kind: 'softmax', correctionBias: false, groupCount: 1, groupsPerToken: 1, renormalised: true, scale: 1 },
      },
      normEpsilon: 1e-6, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2], precision: 'fp8', predictorLayerCount: 0, vision: false,
    });
  });

  it('Mistral Small 4 has what transformers computes from its config.json', async () => {
    const { attention, ...model } = await describeConfig(MISTRAL_SMALL_4);
    expect(model).toMatchObject({
      family: 'mistral4', hiddenSize: 4096, layerCount: 36, contextLength: 1048576, precision: 'float',
      rope: { kind: 'yarn', factor: 128, magnitude: 1 },
      queryScaling: { beta: 0.1, originalContextLength: 8192 },
      feedForward: { size: 2048, expertCount: 128, expertsPerToken: 4, sharedSize: 2048, denseLayerCount: 0, router: { kind: 'softmax', scale: 1 } },
    });
    expect(attention).toMatchObject({ kind: 'mla', queryRank: 1024, latentRank: 256, plainSize: 64, rotarySize: 64, valueSize: 128, rotaryPairs: 'interleaved' });
    expect(attention).toHaveProperty('scoreScale', (0.1 * Math.log(128) + 1) ** 2);
  });

  it('Ministral 3 is a Mistral with stretched positions and scaled queries', async () => {
    expect(await describeConfig(MINISTRAL_3)).toMatchObject({
      family: 'mistral', attention: { kind: 'gqa', headCount: 32, kvHeadCount: 8, headSize: 128, slidingWindow: null }, feedForward: { kind: 'dense', size: 14336 },
      rope: { kind: 'yarn', theta: 1e6, factor: 16, originalContextLength: 16384, betaFast: 32, betaSlow: 1, magnitude: 1 },
      queryScaling: { beta: 0.1, originalContextLength: 16384 },
    });
  });

  it('DeepSeek-V3 has its sigmoid router with a bias and groups', async () => {
    expect(await describeConfig(DEEPSEEK_V3)).toMatchObject({
      family: 'deepseek-v3', precision: 'fp8', predictorLayerCount: 1, queryScaling: null,
      attention: { kind: 'mla', scoreScale: (0.1 * Math.log(40) + 1) ** 2 }, rope: { kind: 'yarn', theta: 10000, factor: 40, magnitude: 1 },
      feedForward: {
        sharedSize: 2048, denseLayerCount: 3, denseSize: 18432,
        router: { kind: 'sigmoid', correctionBias: true, groupCount: 8, groupsPerToken: 4, renormalised: true, scale: 2.5 },
      },
    });
  });

  it('a model with a text part is that of the part, and says that it sees images', async () => {
    const { architectures: _, ...text } = MINISTRAL_3;
    const whole = { architectures: ['Mistral3ForConditionalGeneration'], model_type: 'mistral3', text_config: text, vision_config: { hidden_size: 1024 } };
    expect(await describeConfig(whole)).toEqual({ ...(await describeConfig(MINISTRAL_3)), vision: true });
    const { tie_word_embeddings: _tied, ...silent } = text;
    expect(await describeConfig({ ...whole, text_config: silent, tie_word_embeddings: true })).toMatchObject({ tiedEmbedding: true });
  });

  it('a Mixtral is the same model as its spec', async () => {
    const { precision, predictorLayerCount, vision, ...model } = await describeConfig(MIXTRAL_8X22B);
    expect({ precision, predictorLayerCount, vision }).toEqual({ precision: 'float', predictorLayerCount: 0, vision: false });
    expect(model).toEqual(await readModelSpec(memoryFolder({ 'config.json': JSON.stringify(MIXTRAL_8X22B) })));
  });
});

describe('a configuration of theirs', () => {
  const rope = { ...MISTRAL_SMALL_4.rope_parameters, apply_yarn_scaling: false };

  it('that wants no correction of the magnitude gets none', async () => {
    expect(await describeConfig({ ...MISTRAL_SMALL_4, rope_parameters: rope })).toMatchObject({ attention: { scoreScale: 1 }, rope: { magnitude: 1 } });
  });

  it.each<[string, object, object]>([
    ['no mscale: the paper\'s magnitude', { mscale: undefined, mscale_all_dim: undefined }, { magnitude: 0.1 * Math.log(16) + 1 }],
    ['an attention_factor: that one', { attention_factor: 1.5 }, { magnitude: 1.5 }],
    ['two weights: their quotient', { mscale: 2, mscale_all_dim: 1 }, { magnitude: (0.2 * Math.log(16) + 1) / (0.1 * Math.log(16) + 1) }],
    ['no factor: the quotient of the contexts', { factor: null }, { factor: 16 }],
    ['no bounds: those of the paper', { beta_fast: undefined, beta_slow: undefined }, { betaFast: 32, betaSlow: 1 }],
  ])('with %s', async (_, changed, expected) => {
    expect((await describeConfig({ ...MINISTRAL_3, rope_parameters: { ...MINISTRAL_3.rope_parameters, ...changed } })).rope).toMatchObject(expected);
  });

  it.each<[string, object, string]>([
    ['a rotated part of odd size', { ...MISTRAL_SMALL_4, qk_rope_head_dim: 63 }, 'qk_rope_head_dim is odd, which rotary positions can\'t turn'],
    ['no latent', { ...MISTRAL_SMALL_4, kv_lora_rank: undefined }, 'kv_lora_rank is missing'],
    ['groups that do not divide the experts', { ...DEEPSEEK_V3, n_group: 7 }, 'n_group is 7, which does not divide the 256 of n_routed_experts'],
    ['more groups a token than there are', { ...DEEPSEEK_V3, topk_group: 9 }, 'topk_group is 9, more than the 8 of n_group'],
    ['more experts a token than its groups have', { ...DEEPSEEK_V3, topk_group: 1, num_experts_per_tok: 33 }, 'num_experts_per_tok is 33, more experts than the chosen groups have'],
    ['more dense layers than layers', { ...DEEPSEEK_V3, first_k_dense_replace: 62 }, 'first_k_dense_replace is 62, more than the 61 of num_hidden_layers'],
    ['YaRN without its original context', { ...MINISTRAL_3, rope_parameters: { rope_type: 'yarn', rope_theta: 1e6, factor: 16 } }, 'rope_parameters lacks original_max_position_embeddings'],
    ['a text part that is none', { architectures: ['Mistral3ForConditionalGeneration'], text_config: 7 }, 'text_config must be an object'],
    ['a text part that lacks a key', { architectures: ['Mistral3ForConditionalGeneration'], text_config: { ...MINISTRAL_3, vocab_size: undefined } }, 'text_config.vocab_size is missing'],
  ])('with %s is refused in a sentence that names the key', async (_, config, sentence) => {
    await expect(describeConfig(config)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`/models/tiny/config.json: ${sentence}`) as string });
  });

  it.each<[string, object, string]>([
    ['another router', { ...DEEPSEEK_V3, scoring_func: 'softmax' }, 'scoring_func names a way of choosing experts that is not implemented'],
    ['dense layers between', { ...DEEPSEEK_V3, moe_layer_freq: 2 }, 'moe_layer_freq leaves layers between the routed ones dense'],
    ['biases', { ...MISTRAL_SMALL_4, attention_bias: true }, 'attention_bias adds a bias to the projections of attention'],
    ['unrounded bounds', { ...MINISTRAL_3, rope_parameters: { ...MINISTRAL_3.rope_parameters, truncate: false } }, 'rope_parameters.truncate asks for YaRN without rounded bounds'],
    ['heads rotated in part', { ...MINISTRAL_3, rope_parameters: { ...MINISTRAL_3.rope_parameters, partial_rotary_factor: 0.5 } }, 'rope_parameters.partial_rotary_factor rotates a part of each head only'],
    ['another text part', { architectures: ['Mistral3ForConditionalGeneration'], text_config: { model_type: 'llama' } }, 'text_config.model_type "llama" is not implemented: the types are mixtral, mistral'],
  ])('with %s is refused as unimplemented', async (_, config, sentence) => {
    await expect(describeConfig(config)).rejects.toMatchObject({ code: 'unimplemented', message: expect.stringContaining(`/models/tiny/config.json: ${sentence}`) as string });
  });
});
