import { type GroupedQueryWeights } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { type MemoryFolder, memoryFolder } from '../../test/memory-folder.ts';
import { countingTensors, FUSED_SHAPES, MISTRAL_SHAPES, MIXTRAL_SHAPES, TINY_MISTRAL, TINY_MIXTRAL } from '../../test/tiny-models.ts';
import { floatBytes, type TensorBytes, writeSafetensors } from '../../test/write-safetensors.ts';
import { openCheckpoint } from '../checkpoint.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

describe('quantised weights', () => {
  const KEY = `model.layers.0.self_attn.k_proj.weight`;
  const e4m3 = (name: string, shape: readonly number[]): TensorBytes => ({ name, dtype: 'F8_E4M3', shape, bytes: new Uint8Array(shape.reduce((product, size) => product * size, 1)).fill(0x40) });
  const ofModel = (shapes: Shapes, ...changed: readonly TensorBytes[]): MemoryFolder => {
    const others = countingTensors(shapes).filter(({ name }) => !changed.some((tensor) => tensor.name === name));
    return memoryFolder({ 'config.json': JSON.stringify(TINY_MIXTRAL), 'model.safetensors': writeSafetensors([...others, ...changed]) });
  };
  const scale = (name: string, ...values: number[]): TensorBytes => ({ name, dtype: 'F32', shape: [values.length], bytes: floatBytes(values) });

  it.each([`${KEY}_scale`, `${KEY}_scale_inv`, KEY.replace(/weight$/, 'qscale_weight')])('find their scale in %s, and leave alone what is for activations', async (name) => {
    const activations = [scale(KEY.replace(/weight$/, 'input_scale'), 1), scale(KEY.replace(/weight$/, 'qscale_act'), 1)];
    const { weights, notes } = await openCheckpoint(ofModel(MIXTRAL_SHAPES, e4m3(KEY, [2, 4]), scale(name, 3), ...activations));
    expect(await (weights.layers[0]!.attention as GroupedQueryWeights).key.read(0, 2)).toEqual(new Float32Array(8).fill(6));
    expect(notes).toEqual([]);
  });

  it('may be fused experts, each with scales of its own', async () => {
    const gateUp = `model.layers.0.mlp.experts.gate_up_proj`;
    const scales: TensorBytes = { name: `${gateUp}_scale_inv`, dtype: 'F32', shape: [2, 1, 1], bytes: floatBytes([1, 10]) };
    const { weights: { layers: [layer] } } = await openCheckpoint(ofModel(FUSED_SHAPES, e4m3(gateUp, [2, 6, 4]), scales));
    if (layer!.feedForward.kind === 'dense') throw new Error('the model has experts');
    expect(await layer!.feedForward.experts[0]!.up.read(2, 1)).toEqual(new Float32Array(4).fill(2));
    expect(await layer!.feedForward.experts[1]!.gate.read(0, 1)).toEqual(new Float32Array(4).fill(20));
  });

  it('are refused without their scales, and scales without them', async () => {
    await expect(openCheckpoint(ofModel(MIXTRAL_SHAPES, e4m3(KEY, [2, 4])))).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`has no tensor ${KEY}_scale, which config.json asks for`) as string });
    await expect(openCheckpoint(ofModel(MIXTRAL_SHAPES, scale(`${KEY}_scale`, 1)))).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`has the tensor ${KEY}_scale, for which config.json has no place`) as string });
  });
});

describe('what is beside the text part', () => {
  it.each([['model.language_model', 'lm_head', 'model.vision_tower'], ['language_model.model', 'language_model.lm_head', 'vision_tower']])('is skipped, and said so: text in %s', async (body, head, vision) => {
    const { architectures: _, ...text } = TINY_MISTRAL;
    const config = { architectures: ['Mistral3ForConditionalGeneration'], text_config: text, vision_config: {} };
    const renamed = Object.fromEntries(Object.entries(MISTRAL_SHAPES).map(([name, shape]) => [name.replace(/^model\./, `${body}.`).replace(/^lm_head/, head), shape]));
    const { weights, notes } = await openCheckpoint(memoryFolder({ 'config.json': JSON.stringify(config), 'model.safetensors': writeSafetensors(countingTensors({ ...renamed, [`${vision}.transformer.layers.0.norm.weight`]: [250], beside: [2] })) }));
    expect(weights.head.name).toBe(`${head}.weight`);
    expect(notes).toEqual(['the part that sees images (1 tensor, 0.0 MB) is not read: this model answers text only', 'what belongs to no layer (1 tensor, 0.0 MB) is not read: beside']);
  });
});
