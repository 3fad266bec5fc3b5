import { describe, expect, it } from 'vitest';
import { type MemoryFolder, memoryFolder } from '../../test/memory-folder.ts';
import { roles } from '../../test/roles.ts';
import { countingTensors, DEEPSEEK_SHAPES, LATENT_PARAMS_SHAPES, TINY_DEEPSEEK, TINY_LATENT_PARAMS } from '../../test/tiny-models.ts';
import { writeSafetensors } from '../../test/write-safetensors.ts';
import { openCheckpoint } from '../checkpoint.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;
const huggingFace = (config: object, shapes: Shapes): MemoryFolder => memoryFolder({ 'config.json': JSON.stringify(config), 'model.safetensors': writeSafetensors(countingTensors(shapes)) });
const mistral = (params: object, shapes: Shapes): MemoryFolder => memoryFolder({ 'params.json': JSON.stringify(params), 'consolidated.safetensors': writeSafetensors(countingTensors(shapes)) });
const without = (shapes: Shapes, ...names: string[]): Shapes => Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));

describe('a checkpoint with latent attention gives its tensors their roles', () => {
  it('in Hugging Face\'s layout: a dense layer, and one with a biased router and a shared expert', async () => {
    const { weights } = await openCheckpoint(huggingFace(TINY_DEEPSEEK, DEEPSEEK_SHAPES));
    expect(roles(weights.layers)).toMatchInlineSnapshot(`
      [
        {
          "attention": {
            "keyValueDown": "model.layers.0.self_attn.kv_a_proj_with_mqa.weight 7 x 4",
            "keyValueUp": "model.layers.0.self_attn.kv_b_proj.weight 6 x 5",
            "kind": "mla",
            "latentNorm": "model.layers.0.self_attn.kv_a_layernorm.weight 1 x 5",
            "output": "model.layers.0.self_attn.o_proj.weight 4 x 2",
            "query": "model.layers.0.self_attn.q_b_proj.weight 8 x 6",
            "queryLatent": {
              "down": "model.layers.0.self_attn.q_a_proj.weight 6 x 4",
              "norm": "model.layers.0.self_attn.q_a_layernorm.weight 1 x 6",
            },
          },
          "feedForward": {
            "down": "model.layers.0.mlp.down_proj.weight 4 x 7",
            "gate": "model.layers.0.mlp.gate_proj.weight 7 x 4",
            "kind": "dense",
            "up": "model.layers.0.mlp.up_proj.weight 7 x 4",
          },
          "inputNorm": "model.layers.0.input_layernorm.weight 1 x 4",
          "postAttentionNorm": "model.layers.0.post_attention_layernorm.weight 1 x 4",
        },
        {
          "attention": {
            "keyValueDown": "model.layers.1.self_attn.kv_a_proj_with_mqa.weight 7 x 4",
            "keyValueUp": "model.layers.1.self_attn.kv_b_proj.weight 6 x 5",
            "kind": "mla",
            "latentNorm": "model.layers.1.self_attn.kv_a_layernorm.weight 1 x 5",
            "output": "model.layers.1.self_attn.o_proj.weight 4 x 2",
            "query": "model.layers.1.self_attn.q_b_proj.weight 8 x 6",
            "queryLatent": {
              "down": "model.layers.1.self_attn.q_a_proj.weight 6 x 4",
              "norm": "model.layers.1.self_attn.q_a_layernorm.weight 1 x 6",
            },
          },
          "feedForward": {
            "correctionBias": "model.layers.1.mlp.gate.e_score_correction_bias 1 x 2",
            "experts": [
              {
                "down": "model.layers.1.mlp.experts.0.down_proj.weight 4 x 3",
                "gate": "model.layers.1.mlp.experts.0.gate_proj.weight 3 x 4",
                "up": "model.layers.1.mlp.experts.0.up_proj.weight 3 x 4",
              },
              {
                "down": "model.layers.1.mlp.experts.1.down_proj.weight 4 x 3",
                "gate": "model.layers.1.mlp.experts.1.gate_proj.weight 3 x 4",
                "up": "model.layers.1.mlp.experts.1.up_proj.weight 3 x 4",
              },
            ],
            "kind": "moe",
            "router": "model.layers.1.mlp.gate.weight 2 x 4",
            "shared": {
              "down": "model.layers.1.mlp.shared_experts.down_proj.weight 4 x 3",
              "gate": "model.layers.1.mlp.shared_experts.gate_proj.weight 3 x 4",
              "up": "model.layers.1.mlp.shared_experts.up_proj.weight 3 x 4",
            },
          },
          "inputNorm": "model.layers.1.input_layernorm.weight 1 x 4",
          "postAttentionNorm": "model.layers.1.post_attention_layernorm.weight 1 x 4",
        },
      ]
    `);
  });

  it('in Mistral\'s layout', async () => {
    const { spec, weights } = await openCheckpoint(mistral(TINY_LATENT_PARAMS, LATENT_PARAMS_SHAPES));
    expect(spec).toMatchObject({ family: 'mistral4', feedForward: { sharedSize: 3, denseLayerCount: 1, denseSize: 7 } });
    expect(roles(weights.layers[1]!)).toMatchInlineSnapshot(`
      {
        "attention": {
          "keyValueDown": "layers.1.attention.wkv_a_with_mqa.weight 7 x 4",
          "keyValueUp": "layers.1.attention.wkv_b.weight 6 x 5",
          "kind": "mla",
          "latentNorm": "layers.1.attention.kv_a_norm.weight 1 x 5",
          "output": "layers.1.attention.wo.weight 4 x 2",
          "query": "layers.1.attention.wq_b.weight 8 x 6",
          "queryLatent": {
            "down": "layers.1.attention.wq_a.weight 6 x 4",
            "norm": "layers.1.attention.q_a_norm.weight 1 x 6",
          },
        },
        "feedForward": {
          "correctionBias": null,
          "experts": [
            {
              "down": "layers.1.experts.0.w2.weight 4 x 3",
              "gate": "layers.1.experts.0.w1.weight 3 x 4",
              "up": "layers.1.experts.0.w3.weight 3 x 4",
            },
            {
              "down": "layers.1.experts.1.w2.weight 4 x 3",
              "gate": "layers.1.experts.1.w1.weight 3 x 4",
              "up": "layers.1.experts.1.w3.weight 3 x 4",
            },
          ],
          "kind": "moe",
          "router": "layers.1.gate.weight 2 x 4",
          "shared": {
            "down": "layers.1.shared_experts.w2.weight 4 x 3",
            "gate": "layers.1.shared_experts.w1.weight 3 x 4",
            "up": "layers.1.shared_experts.w3.weight 3 x 4",
          },
        },
        "inputNorm": "layers.1.attention_norm.weight 1 x 4",
        "postAttentionNorm": "layers.1.ffn_norm.weight 1 x 4",
      }
    `);
  });

  it('whose queries have no latent, and whose experts are fused', async () => {
    const names = Object.keys(DEEPSEEK_SHAPES).filter((name) => name.includes('q_a') || name.includes('q_b') || /experts\.\d/.test(name));
    const shapes = {
      ...without(DEEPSEEK_SHAPES, ...names), 'model.layers.0.self_attn.q_proj.weight': [8, 4], 'model.layers.1.self_attn.q_proj.weight': [8, 4],
      'model.layers.1.mlp.experts.gate_up_proj': [2, 6, 4], 'model.layers.1.mlp.experts.down_proj': [2, 4, 3],
    };
    const { weights: { layers: [, layer] } } = await openCheckpoint(huggingFace({ ...TINY_DEEPSEEK, q_lora_rank: null }, shapes));
    expect(roles(layer!)).toMatchObject({
      attention: { kind: 'mla', queryLatent: null, query: 'model.layers.1.self_attn.q_proj.weight 8 x 4' },
      feedForward: { experts: [{}, { up: 'model.layers.1.mlp.experts.gate_up_proj[9:12] 3 x 4' }], shared: { gate: 'model.layers.1.mlp.shared_experts.gate_proj.weight 3 x 4' } },
    });
  });

  it('and says what predicts further tokens behind its last layer, without reading it', async () => {
    const shapes = { ...DEEPSEEK_SHAPES, 'model.layers.2.eh_proj.weight': [250, 1000], 'model.layers.2.enorm.weight': [4] };
    const { notes } = await openCheckpoint(huggingFace({ ...TINY_DEEPSEEK, num_nextn_predict_layers: 1 }, shapes));
    expect(notes).toEqual(['the layers that guess further tokens (2 tensors, 1.0 MB) are not read']);
  });
});

describe('a checkpoint with latent attention is refused', () => {
  const LAYER = 'model.layers.1';

  it.each<[string, object, Shapes, string]>([
    ['without the projection from the latent', TINY_DEEPSEEK, without(DEEPSEEK_SHAPES, `${LAYER}.self_attn.kv_b_proj.weight`), `has no tensor ${LAYER}.self_attn.kv_b_proj.weight, which config.json asks for`],
    ['without the bias of its router', TINY_DEEPSEEK, without(DEEPSEEK_SHAPES, `${LAYER}.mlp.gate.e_score_correction_bias`), `has no tensor ${LAYER}.mlp.gate.e_score_correction_bias`],
    ['without its router, under the name that its experts have', TINY_DEEPSEEK, without(DEEPSEEK_SHAPES, `${LAYER}.mlp.gate.weight`), `has no tensor ${LAYER}.mlp.gate.weight`],
    ['with a shared expert that nobody asks for', { ...TINY_DEEPSEEK, n_shared_experts: 0 }, DEEPSEEK_SHAPES, `has the tensor ${LAYER}.mlp.shared_experts.gate_proj.weight (and 2 more like it), for which config.json has no place`],
    ['with experts in a layer that is dense', { ...TINY_DEEPSEEK, first_k_dense_replace: 2 }, DEEPSEEK_SHAPES, `has no tensor ${LAYER}.mlp.gate_proj.weight`],
    ['with latents of another width', { ...TINY_DEEPSEEK, kv_lora_rank: 4 }, DEEPSEEK_SHAPES, 'kv_a_proj_with_mqa.weight has shape [7, 4], but by config.json it has [6, 4]'],
    ['with a layer too many, though one more predicts', { ...TINY_DEEPSEEK, num_nextn_predict_layers: 1 }, { ...DEEPSEEK_SHAPES, 'model.layers.3.enorm.weight': [4] }, 'has the tensor model.layers.3.enorm.weight, for which config.json has no place'],
  ])('%s', async (_, config, shapes, sentence) => {
    const folder = huggingFace(config, shapes);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(sentence) as string });
    expect(folder.closed).toBe(true);
  });

  it('with a bias that its params.json does not know', async () => {
    await expect(openCheckpoint(mistral(TINY_LATENT_PARAMS, { ...LATENT_PARAMS_SHAPES, 'layers.1.router_biases': [2] }))).rejects.toMatchObject({
      code: 'data_loss', message: expect.stringContaining('has the tensor layers.1.router_biases, for which params.json has no place') as string,
    });
  });
});
