"""Makes models with latent attention in Mistral's own layout, in FP8 and in NVFP4, each form as a published checkpoint has it.

Run by hand after make_latent_golden.py, in the environment of make_checkpoint_forms.py, from which it takes the forms of one matrix and their values:

    oracle/bin/python test/golden/make_latent_forms.py

The quantised fixtures of one family hold one and the same random model, rounded differently; their vectors are those of the dequantised weights.
Names in Mistral's layout are those of MistralLarge3ForCausalLM in vLLM and of convert_mistral4_weight_to_hf.py in transformers' repository.
"""
import hashlib
import json
import re

import numpy as np
import torch
from safetensors.torch import load_file

from make_checkpoint_forms import FP8_BLOCK, NVFP4, fp8_block, nvfp4, save, write_json
from make_golden import MODELS, scale_logits, write_logits, write_vector, choose_prompt
from make_latent_golden import CORRECTED, DEEPSEEK_V3, LEAST_CHOICE_GAP, MISTRAL_4, SHAPE, ChoiceGap, check_reference, new_folder, randomise_latent

PROMPT_LENGTH = 24
E4M3_MAX = torch.finfo(torch.float8_e4m3fn).max
# Rows and columns beyond a block of 128, and columns that are a multiple of 16 for NVFP4.
QUANTISED_SHAPE = dict(
    SHAPE, vocab_size=64, hidden_size=144, num_hidden_layers=1, q_lora_rank=112, kv_lora_rank=64, v_head_dim=36, moe_intermediate_size=144, n_routed_experts=3,
    num_experts_per_tok=2)
MISTRAL_NAMES = {
    'model.embed_tokens': 'tok_embeddings', 'model.norm': 'norm', 'lm_head': 'output', 'model.layers': 'layers', 'input_layernorm': 'attention_norm',
    'post_attention_layernorm': 'ffn_norm', 'self_attn.q_a_proj': 'attention.wq_a', 'self_attn.q_a_layernorm': 'attention.q_a_norm',
    'self_attn.q_b_proj': 'attention.wq_b', 'self_attn.kv_a_proj_with_mqa': 'attention.wkv_a_with_mqa', 'self_attn.kv_a_layernorm': 'attention.kv_a_norm',
    'self_attn.kv_b_proj': 'attention.wkv_b', 'self_attn.o_proj': 'attention.wo', 'mlp.shared_experts': 'shared_experts', 'mlp.experts': 'experts',
    'mlp.gate.': 'gate.', 'mlp.': 'feed_forward.', 'gate_proj': 'w1', 'down_proj': 'w2', 'up_proj': 'w3',
}
ROLES = {'q_a_proj': 'queryDown', 'q_b_proj': 'query', 'kv_a_proj_with_mqa': 'keyValueDown', 'kv_b_proj': 'keyValueUp', 'o_proj': 'output',
         'gate_proj': 'gate', 'up_proj': 'up', 'down_proj': 'down'}


# ---- names ----

def per_expert(state):
    """gate_up_proj [experts, 2 * size, hidden] and down_proj [experts, hidden, size] as three matrices for each expert."""
    apart = {name: tensor for name, tensor in state.items() if '.experts.' not in name}
    for name, tensor in state.items():
        prefix = name.rsplit('.', 1)[0]
        if name.endswith('experts.gate_up_proj'):
            for expert, both in enumerate(tensor):
                apart[f'{prefix}.{expert}.gate_proj.weight'], apart[f'{prefix}.{expert}.up_proj.weight'] = both.chunk(2)
        elif name.endswith('experts.down_proj'):
            apart |= {f'{prefix}.{expert}.down_proj.weight': down for expert, down in enumerate(tensor)}
    return apart


def fused(state):
    """What per_expert took apart, as the model in memory has it."""
    whole = {name: tensor for name, tensor in state.items() if '.experts.' not in name}
    for prefix in sorted({name.split('.experts.')[0] + '.experts' for name in state if '.experts.' in name}):
        count = len({name for name in state if name.startswith(prefix) and name.endswith('down_proj.weight')})
        parts = {part: [state[f'{prefix}.{expert}.{part}.weight'] for expert in range(count)] for part in ('gate_proj', 'up_proj', 'down_proj')}
        whole[f'{prefix}.gate_up_proj'] = torch.stack([torch.cat(pair) for pair in zip(parts['gate_proj'], parts['up_proj'])])
        whole[f'{prefix}.down_proj'] = torch.stack(parts['down_proj'])
    return whole


def mistral_name(name):
    for ours, theirs in MISTRAL_NAMES.items():
        name = name.replace(ours, theirs)
    return name


def params_of(config):
    """As the params.json of Large 3 says it. `apply_scale` says whether the magnitude is corrected."""
    rope = config['rope_parameters']
    original = rope['original_max_position_embeddings']
    assert config['norm_topk_prob'] and config['rope_interleave'] and rope.get('mscale') == rope.get('mscale_all_dim'), 'params.json has no word for it'
    return {
        'dim': config['hidden_size'], 'n_layers': config['num_hidden_layers'], 'n_heads': config['num_attention_heads'], 'n_kv_heads': config['num_attention_heads'],
        'head_dim': config['qk_nope_head_dim'] + config['qk_rope_head_dim'], 'hidden_dim': config['intermediate_size'], 'vocab_size': config['vocab_size'],
        'norm_eps': config['rms_norm_eps'], 'tied_embeddings': config['tie_word_embeddings'], 'rope_theta': rope['rope_theta'],
        'max_position_embeddings': config['max_position_embeddings'],
        **{key: config[key] for key in ('q_lora_rank', 'kv_lora_rank', 'qk_nope_head_dim', 'qk_rope_head_dim', 'v_head_dim')},
        'yarn': {'alpha': 1, 'beta': 32, 'factor': rope['factor'], 'original_max_position_embeddings': original, 'apply_scale': rope.get('mscale_all_dim') == 1.0},
        'llama_4_scaling': {'beta': rope['llama_4_scaling_beta'], 'original_max_position_embeddings': original},
        'moe': {
            'num_experts': config['n_routed_experts'], 'num_experts_per_tok': config['num_experts_per_tok'], 'num_shared_experts': config['n_shared_experts'],
            'expert_hidden_dim': config['moe_intermediate_size'], 'first_k_dense_replace': config['first_k_dense_replace'], 'route_every_n': 1,
            'routed_scale': config['routed_scaling_factor'], 'num_expert_groups': config['n_group'], 'num_expert_groups_per_tok': config['topk_group'],
            'expert_parallel': 1, 'expert_model_parallel': 1,
        },
    }


# ---- forms ----

def quantise(state, form, kept=()):
    """The stored tensors, and the float32 values of each weight of `state`. What is `kept` is bf16, as are embedding, head, router and norms; biases are float32."""
    stored, values = {}, {}
    for name, weight in state.items():
        if '_proj' in name and not any(part in name for part in kept):
            parts, values[name] = form(weight)
            stored |= {name.removesuffix('weight') + part: tensor for part, tensor in parts.items()}
        else:
            stored[name] = weight if name.endswith('correction_bias') else weight.to(torch.bfloat16)
            values[name] = stored[name].float()
    return stored, values


def fp8_block_inverse(weight):
    """As DeepSeek names it."""
    stored, values = fp8_block(weight)
    return {'weight': stored['weight'], 'weight_scale_inv': stored['weight_scale'].float()}, values


def fp8_one_scale(weight):
    """As the published Small 4 has it: one bf16 scale a matrix, for fused experts one an expert, and scales of activations beside."""
    scale = (weight.abs().amax((-2, -1), keepdim=True) / E4M3_MAX).to(torch.bfloat16)
    codes = (weight / scale.float()).clamp(-E4M3_MAX, E4M3_MAX).to(torch.float8_e4m3fn)
    values = codes.float() * scale.float()
    activation = torch.full(scale.shape[:-2], 0.5, dtype=torch.bfloat16)
    if weight.dim() == 3:
        return {'': codes, '_scale_inv': scale, '_activation_scale': activation}, values
    return {'weight': codes, 'weight_scale_inv': scale.squeeze(), 'activation_scale': activation}, values


def compressed_tensors(form, weights, ignore):
    group = {'format': form, 'targets': ['Linear'], 'weights': json.loads(weights.model_dump_json()), 'input_activations': None, 'output_activations': None}
    return {'quant_method': 'compressed-tensors', 'quantization_status': 'compressed', 'format': form, 'config_groups': {'group_0': group}, 'ignore': ignore}


LATENTS = ('q_a_proj', 'kv_a_proj_with_mqa')
LARGE_3 = compressed_tensors('float-quantized', FP8_BLOCK, ['model.embed_tokens', 're:.*kv_a_proj_with_mqa$', 're:.*q_a_proj$', 're:.*gate$', 'lm_head'])
IN_NVFP4 = compressed_tensors('nvfp4-pack-quantized', NVFP4, ['lm_head', 're:.*gate$'])
SMALL_4 = {'quant_method': 'fp8', 'activation_scheme': 'static', 'weight_block_size': None, 'modules_to_not_convert': ['lm_head']}
DEEPSEEK = {'quant_method': 'fp8', 'activation_scheme': 'dynamic', 'fmt': 'e4m3', 'weight_block_size': [128, 128]}


# ---- checkpoints ----

def write_hugging_face(name, model, stored, quantization_config):
    folder = new_folder(name)
    save(stored, folder / 'model.safetensors')
    kept = {*SHAPE, 'model_type', 'rms_norm_eps', 'rope_parameters', 'hidden_act'}
    config = {key: value for key, value in sorted(model.config.to_dict().items()) if key in kept}
    write_json(folder / 'config.json', config | {'architectures': [type(model).__name__], 'dtype': 'bfloat16', 'quantization_config': quantization_config})


def write_mistral(name, config, stored, quantization_config=None):
    folder = new_folder(name)
    save({mistral_name(own): tensor for own, tensor in stored.items()}, folder / 'consolidated.safetensors')
    write_json(folder / 'params.json', params_of(config) | ({} if quantization_config is None else {'quantization_config': quantization_config}))


def write_twin(source, name):
    """The weights of another fixture, in one file of Mistral's layout."""
    write_mistral(name, json.loads((MODELS / source / 'config.json').read_text()), per_expert(load_file(MODELS / source / 'model.safetensors')))


def random_model(pair, **rope):
    torch.manual_seed(11)
    kind, config = pair
    model = kind(config(**QUANTISED_SHAPE, rope_parameters=CORRECTED | rope)).eval()
    model.set_attn_implementation('eager')
    model.set_experts_implementation('eager')
    randomise_latent(model)
    scale_logits(model)
    return model, {name: tensor.float().clone() for name, tensor in model.state_dict().items()}


# ---- vectors ----

def role_of(name):
    """As libs/io/files/test/golden-models.spec.ts names it: "0.query", "0.expert 1.gate", "0.shared.gate"."""
    layer, rest = re.fullmatch(r'model\.layers\.(\d+)\.(.*)\.weight', name).groups()
    *places, matrix = rest.removeprefix('self_attn.').removeprefix('mlp.').split('.')
    place = {0: '', 1: 'shared.', 2: f'expert {places[-1]}.' if places else ''}[len(places)]
    return f'{layer}.{place}{ROLES[matrix]}'


def digests(stored, values):
    """Of the float32 values, little-endian, of each matrix that is stored in codes."""
    apart = per_expert(values) if any(name.endswith('gate_up_proj') for name in values) else values
    plain = {name for name, tensor in stored.items() if tensor.dtype == torch.bfloat16}
    return {role_of(name): hashlib.sha256(np.ascontiguousarray(weight.numpy(), '<f4').tobytes()).hexdigest()
            for name, weight in apart.items() if '_proj' in name and name not in plain}


def write_fixture(name, model, stored, values):
    model.load_state_dict(values if any(own.endswith('gate_up_proj') for own in values) else fused(values))
    prompt_ids, run = choose_prompt(model, PROMPT_LENGTH, ChoiceGap, LEAST_CHOICE_GAP)
    check_reference(name, model, prompt_ids + run[0], run[1])
    write_logits(name, [MODELS / name], prompt_ids, run, stride=1)
    return {name: digests(stored, values)}


def main():
    torch.set_num_threads(1)
    weights = {}
    model, state = random_model(MISTRAL_4, llama_4_scaling_beta=0.1)
    stored, values = quantise(per_expert(state), fp8_block, LATENTS)
    write_mistral('mistral4-yarn-fp8-blocks-mistral-layout', model.config.to_dict(), stored, LARGE_3)
    weights |= write_fixture('mistral4-yarn-fp8-blocks-mistral-layout', model, stored, values)

    stored, values = quantise(state, fp8_one_scale)
    write_hugging_face('mistral4-yarn-fp8-fused', model, stored, SMALL_4)
    weights |= write_fixture('mistral4-yarn-fp8-fused', model, stored, values)

    stored, values = quantise(per_expert(state), nvfp4)
    write_hugging_face('mistral4-yarn-nvfp4', model, stored, IN_NVFP4)
    weights |= write_fixture('mistral4-yarn-nvfp4', model, stored, values)

    model, state = random_model(DEEPSEEK_V3)
    stored, values = quantise(per_expert(state), fp8_block_inverse)
    write_hugging_face('deepseek-v3-yarn-fp8-blocks', model, stored, DEEPSEEK)
    weights |= write_fixture('deepseek-v3-yarn-fp8-blocks', model, stored, values)
    write_twin('mistral4-yarn-bf16', 'mistral4-yarn-mistral-layout')
    write_twin('mistral4-yarn-uncorrected-bf16', 'mistral4-yarn-uncorrected-mistral-layout')
    write_vector('latent-forms', {'weightSha256': weights})


if __name__ == '__main__':
    main()
