import { type ModelSpec, PLAIN_ROUTING } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../test/memory-folder.ts';
import { TINY_MISTRAL, TINY_MIXTRAL } from '../test/tiny-models.ts';
import { readModelSpec } from './checkpoint.ts';
import { readConfig } from './read-config.ts';

function specOf(config: object, generation?: object): Promise<ModelSpec> {
  const files = { 'config.json': JSON.stringify(config), ...(generation && { 'generation_config.json': JSON.stringify(generation) }) };
  return readModelSpec(memoryFolder(files));
}
const without = <T extends object>(config: T, key: keyof T): Partial<T> => ({ ...config, [key]: undefined });

describe('readConfig', () => {
  it('says in our words what transformers 5 wrote', async () => {
    expect(await specOf({ ...TINY_MIXTRAL, sliding_window: 16 })).toEqual({
      family: 'mixtral', vocabSize: 5, hiddenSize: 4, layerCount: 1, contextLength: 64,
      attention: { kind: 'gqa', headCount: 2, kvHeadCount: 1, headSize: 2, slidingWindow: 16 },
      rope: { kind: 'default', theta: 1e6 }, queryScaling: null,
      feedForward: { kind: 'moe', size: 3, expertCount: 2, expertsPerToken: 1, ...PLAIN_ROUTING },
      normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 1, eosTokenIds: [2],
    });
    expect(await specOf(TINY_MISTRAL)).toMatchObject({ family: 'mistral', feedForward: { kind: 'dense', size: 3 } });
  });

  it('reads the same from what transformers 4 wrote', async () => {
    const older = { ...without(without(TINY_MIXTRAL, 'rope_parameters'), 'head_dim'), rope_theta: 1e6, rope_scaling: null, torch_dtype: 'bfloat16' };
    expect(await specOf(older)).toEqual(await specOf(TINY_MIXTRAL));
  });

  it.each([
    ['head_dim null is hidden over heads', { ...TINY_MIXTRAL, head_dim: null }, { attention: { headSize: 2 } }],
    ['head_dim may differ from hidden over heads', { ...TINY_MIXTRAL, head_dim: 6 }, { attention: { headSize: 6 } }],
    ['num_key_value_heads null is one for each head', { ...TINY_MIXTRAL, num_key_value_heads: null }, { attention: { kvHeadCount: 2 } }],
    ['no hidden_act is silu, no tie_word_embeddings is untied', without(without(TINY_MIXTRAL, 'hidden_act'), 'tie_word_embeddings'), { tiedEmbedding: false }],
    ['no sliding_window is none in Mixtral', without(TINY_MIXTRAL, 'sliding_window'), { attention: { slidingWindow: null } }],
    ['no sliding_window is 4096 in Mistral', without(TINY_MISTRAL, 'sliding_window'), { attention: { slidingWindow: 4096 } }],
    ['sliding_window null is none in Mistral', TINY_MISTRAL, { attention: { slidingWindow: null } }],
    ['rope_scaling of type default scales nothing', { ...TINY_MIXTRAL, rope_scaling: { type: 'default' } }, { rope: { theta: 1e6 } }],
    ['several end tokens', { ...TINY_MIXTRAL, eos_token_id: [2, 4] }, { eosTokenIds: [2, 4] }],
    ['no special tokens', { ...TINY_MIXTRAL, bos_token_id: null, eos_token_id: null }, { bosTokenId: null, eosTokenIds: [] }],
  ])('%s', async (_, config, expected) => {
    expect(await specOf(config)).toMatchObject(expected);
  });

  it('lets generation_config.json replace the special tokens that it names, and only those', async () => {
    expect(await specOf(TINY_MIXTRAL, { bos_token_id: 0, eos_token_id: [3, 4] })).toMatchObject({ bosTokenId: 0, eosTokenIds: [3, 4] });
    expect(await specOf(TINY_MIXTRAL, { bos_token_id: null, temperature: 0.6 })).toMatchObject({ bosTokenId: 1, eosTokenIds: [2] });
  });

  it.each([
    ['another architecture', { ...TINY_MIXTRAL, architectures: ['LlamaForCausalLM'] }, 'the architecture LlamaForCausalLM is not implemented: the architectures are MixtralForCausalLM, MistralForCausalLM, Ministral3ForCausalLM'],
    ['weights quantised otherwise', { ...TINY_MIXTRAL, quantization_config: { quant_method: 'awq' } }, 'quantization_config says that the weights are quantised in a form that is not implemented: use a checkpoint in bf16, in FP8 (e4m3) or in NVFP4'],
    ['another activation', { ...TINY_MIXTRAL, hidden_act: 'gelu' }, 'hidden_act names an activation that is not implemented: the only one is "silu"'],
    ['scaled positions of transformers 5', { ...TINY_MIXTRAL, rope_parameters: { rope_type: 'llama3', rope_theta: 1e6, factor: 4 } }, 'rope_parameters scales the rotary positions in a way that is not implemented'],
    ['scaled positions of transformers 4', { ...TINY_MIXTRAL, rope_scaling: { type: 'linear', factor: 2 } }, 'rope_scaling scales the rotary positions'],
  ])('refuses %s as unimplemented', async (_, config, sentence) => {
    await expect(specOf(config)).rejects.toMatchObject({ code: 'unimplemented', message: expect.stringContaining(`/models/tiny/config.json: ${sentence}`) as string });
  });

  it.each([
    ['no architecture', { ...TINY_MIXTRAL, architectures: [] }, 'architectures must name the architecture'],
    ['no hidden size', without(TINY_MIXTRAL, 'hidden_size'), 'hidden_size is missing; it must be an integer from 1 to 2147483647'],
    ['a size that is text', { ...TINY_MIXTRAL, vocab_size: '5' }, 'vocab_size must be an integer from 1 to 2147483647'],
    ['half a head', { ...TINY_MIXTRAL, num_attention_heads: 1.5 }, 'num_attention_heads must be an integer from 1'],
    ['no layers', { ...TINY_MIXTRAL, num_hidden_layers: 0 }, 'num_hidden_layers must be an integer from 1 to 4096'],
    ['layers without end', { ...TINY_MIXTRAL, num_hidden_layers: 1e9 }, 'num_hidden_layers must be an integer from 1 to 4096'],
    ['a negative epsilon', { ...TINY_MIXTRAL, rms_norm_eps: -1 }, 'rms_norm_eps must be a positive number'],
    ['kv heads that do not divide the heads', { ...TINY_MIXTRAL, num_attention_heads: 3, num_key_value_heads: 2 }, 'num_key_value_heads is 2, which does not divide the 3 of num_attention_heads'],
    ['heads that do not divide the hidden size', { ...TINY_MIXTRAL, num_attention_heads: 3, num_key_value_heads: 1, head_dim: null }, 'num_attention_heads is 3, which does not divide the 4 of hidden_size'],
    ['heads of an odd size', { ...TINY_MIXTRAL, head_dim: 3 }, 'head_dim gives heads of an odd size'],
    ['no theta', without(TINY_MIXTRAL, 'rope_parameters'), 'rope_theta is missing, and rope_parameters has none either'],
    ['more experts a token than there are', { ...TINY_MIXTRAL, num_experts_per_tok: 3 }, 'num_experts_per_tok is more than num_local_experts'],
    ['no experts', without(TINY_MIXTRAL, 'num_local_experts'), 'num_local_experts is missing; it must be an integer from 1 to 4096'],
    ['a token that is none', { ...TINY_MIXTRAL, eos_token_id: 'end' }, 'eos_token_id must be a token id or a list of them'],
  ])('refuses %s in a sentence that names the key', async (_, config, sentence) => {
    await expect(specOf(config)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`/models/tiny/config.json: ${sentence}`) as string });
  });

  it('refuses special tokens outside the vocabulary, whichever file names them', async () => {
    const refusal = { code: 'data_loss', message: expect.stringContaining('vocab_size is 5, but bos_token_id or eos_token_id names token 5') as string };
    await expect(specOf({ ...TINY_MIXTRAL, bos_token_id: 5 })).rejects.toMatchObject(refusal);
    await expect(specOf(TINY_MIXTRAL, { eos_token_id: [2, 5] })).rejects.toMatchObject(refusal);
  });

  it('refuses a folder without any configuration, and a config.json that is no JSON object', async () => {
    await expect(readConfig(memoryFolder({}))).rejects.toMatchObject({
      code: 'not_found',
      message: '/models/tiny holds no checkpoint that Essaim reads: name a folder with config.json and model.safetensors or model.safetensors.index.json (Hugging Face), or params.json and consolidated.safetensors or consolidated.safetensors.index.json (Mistral)',
    });
    await expect(readConfig(memoryFolder({ 'config.json': '{"a": ' }))).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('/models/tiny/config.json is damaged: it is not valid JSON') as string });
    await expect(readConfig(memoryFolder({ 'config.json': '7' }))).rejects.toMatchObject({ code: 'data_loss', message: '/models/tiny/config.json: the file must be an object' });
  });
});
