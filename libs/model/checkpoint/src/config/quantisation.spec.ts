import { describe, expect, it } from 'vitest';
import { storedWeights } from './quantisation.ts';

const of = (value: object) => storedWeights({ path: 'config.json', value });
const groups = (...weights: readonly object[]): object => ({ quantization_config: { quant_method: 'compressed-tensors', config_groups: Object.fromEntries(weights.map((each, index) => [`group_${index}`, { weights: each }])) } });
const FP8 = { num_bits: 8, type: 'float', strategy: 'tensor', symmetric: true };
const NVFP4 = { num_bits: 4, type: 'float', strategy: 'tensor_group', group_size: 16, symmetric: true };
const BLOCK = [128, 128];

describe('storedWeights', () => {
  it.each<[string, object, object]>([
    ['nothing said: floats', {}, { precision: 'float', block: BLOCK }],
    ['null: floats', { quantization_config: null, quantization: null }, { precision: 'float', block: BLOCK }],
    ['transformers\' FP8 with its blocks', { quantization_config: { quant_method: 'fp8', weight_block_size: [64, 32] } }, { precision: 'fp8', block: [64, 32] }],
    ['transformers\' FP8 with one scale a tensor', { quantization_config: { quant_method: 'fp8', weight_block_size: null } }, { precision: 'fp8', block: BLOCK }],
    ['compressed-tensors\' FP8 in blocks', groups({ ...FP8, strategy: 'block', block_structure: [64, 64] }), { precision: 'fp8', block: [64, 64] }],
    ['compressed-tensors\' FP8 by row', groups({ ...FP8, strategy: 'channel' }), { precision: 'fp8', block: BLOCK }],
    ['compressed-tensors\' NVFP4', groups(NVFP4), { precision: 'nvfp4', block: BLOCK }],
    ['both in one model', groups(FP8, NVFP4), { precision: 'nvfp4', block: BLOCK }],
    ['activations alone', { quantization_config: { quant_method: 'compressed-tensors', config_groups: { group_0: { weights: null } } } }, { precision: 'float', block: BLOCK }],
    ['Mistral\'s FP8', { quantization: { qformat_weight: 'fp8_e4m3', qscheme_act: 'NO_SCALES' } }, { precision: 'fp8', block: BLOCK }],
  ])('reads %s', (_, config, expected) => {
    expect(of(config)).toEqual(expected);
  });

  it.each<[string, object, string]>([
    ['another method', { quantization_config: { quant_method: 'gptq', bits: 4 } }, 'quantization_config says'],
    ['another FP8', { quantization_config: { quant_method: 'fp8', fmt: 'e5m2' } }, 'quantization_config says'],
    ['integers', groups({ ...FP8, type: 'int' }), 'quantization_config.config_groups.group_0.weights says'],
    ['MXFP4', groups({ ...NVFP4, strategy: 'group', group_size: 32 }), 'quantization_config.config_groups.group_0.weights says'],
    ['zero points', groups({ ...FP8, symmetric: false }), 'quantization_config.config_groups.group_0.weights says'],
    ['rotated weights', { quantization_config: { quant_method: 'compressed-tensors', config_groups: {}, transform_config: { R1: {} } } }, 'quantization_config.transform_config says'],
    ['another of Mistral\'s', { quantization: { qformat_weight: 'int8' } }, 'quantization.qformat_weight says'],
  ])('refuses %s as unimplemented', (_, config, sentence) => {
    expect(() => of(config)).toThrow(expect.objectContaining({ code: 'unimplemented', message: expect.stringContaining(`config.json: ${sentence} that the weights are quantised in a form that is not implemented`) as string }));
  });

  it.each<[string, object, string]>([
    ['no method', { quantization_config: {} }, 'quantization_config.quant_method is missing; it must be a string'],
    ['blocks without a height', { quantization_config: { quant_method: 'fp8', weight_block_size: [128] } }, 'quantization_config.weight_block_size must be a pair of sizes'],
    ['no bits', groups({ type: 'float', strategy: 'tensor' }), 'quantization_config.config_groups.group_0.weights.num_bits is missing'],
  ])('refuses %s in a sentence that names the key', (_, config, sentence) => {
    expect(() => of(config)).toThrow(expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(`config.json: ${sentence}`) as string }));
  });
});
