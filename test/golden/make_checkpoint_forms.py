"""Makes the checkpoints in Mistral's own layout and in FP8 and NVFP4, and what they mean. The oracles are Hugging Face transformers for the
logits, compressed-tensors and torch for the values of quantised weights, ml_dtypes for those of single codes.

Run by hand like make_golden.py, from which it takes the oracle, with two packages more:

    oracle/bin/pip install compressed-tensors==0.20.0 ml_dtypes==0.6.0
    oracle/bin/python test/golden/make_checkpoint_forms.py

Every fixture but the twins of dense models in make_golden.py holds one and the same random Mixtral, rounded differently; its vectors are those of
the dequantised weights. Widths are no multiples of an FP8 block of 128, so that blocks are cut short on both sides.
"""
import hashlib
import json
import shutil
from importlib.metadata import version

import ml_dtypes
import numpy as np
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.lifecycle.forward import dequantize
from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam
from safetensors.torch import load_file, save_file

from make_golden import (
    MODELS, VERSIONS, choose_prompt, mixtral, per_expert_tensors, randomise, scale_logits, write_logits, write_vector,
)

VERSIONS.update({name: version(name) for name in ('compressed-tensors', 'ml_dtypes')})

SHAPE = dict(
    vocab_size=96, hidden_size=144, num_hidden_layers=1, max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=48, intermediate_size=160, num_local_experts=3, num_experts_per_tok=2, tie_word_embeddings=False)
PROMPT_LENGTH = 24
E4M3_MAX = torch.finfo(torch.float8_e4m3fn).max
MISTRAL_NAMES = {
    'model.embed_tokens': 'tok_embeddings', 'model.norm': 'norm', 'lm_head': 'output', 'model.layers': 'layers', 'input_layernorm': 'attention_norm',
    'post_attention_layernorm': 'ffn_norm', 'self_attn.q_proj': 'attention.wq', 'self_attn.k_proj': 'attention.wk', 'self_attn.v_proj': 'attention.wv',
    'self_attn.o_proj': 'attention.wo', 'mlp.gate_proj': 'feed_forward.w1', 'mlp.down_proj': 'feed_forward.w2', 'mlp.up_proj': 'feed_forward.w3',
    'block_sparse_moe.': '',
}
ROLES = {'q_proj': 'query', 'k_proj': 'key', 'v_proj': 'value', 'o_proj': 'output', 'w1': 'gate', 'w2': 'down', 'w3': 'up',
         'gate_proj': 'gate', 'down_proj': 'down', 'up_proj': 'up'}


# ---- forms of one matrix: what is stored beside its name without "weight", and the float32 values that it means ----

def compressed(weight, args, form):
    """As compressed-tensors stores the matrix: its codes, scales and, for NVFP4, the one scale over them."""
    blocks = blocks_of(weight, args.block_structure or [1, args.group_size])
    global_scale = generate_gparam(weight.amin(), weight.amax()) if args.num_bits == 4 else None
    scale, _ = calculate_qparams(blocks.amin((1, 3)), blocks.amax((1, 3)), args, global_scale)
    given = {'weight': weight, 'weight_scale': scale} | ({} if global_scale is None else {'weight_global_scale': global_scale})
    return BaseCompressor.get_value_from_registry(form).compress(given, QuantizationScheme(targets=['Linear'], weights=args))


def blocks_of(weight, block):
    """[blocks down, rows of a block, blocks across, columns of a block], padded with zeros."""
    rows, columns = (-(-size // step) for size, step in zip(weight.shape, block))
    padded = torch.zeros(rows * block[0], columns * block[1])
    padded[:weight.shape[0], :weight.shape[1]] = weight
    return padded.view(rows, block[0], columns, block[1])


FP8_BLOCK = QuantizationArgs(num_bits=8, type='float', strategy='block', block_structure=[128, 128], symmetric=True)
NVFP4 = QuantizationArgs(num_bits=4, type='float', strategy='tensor_group', group_size=16, symmetric=True, scale_dtype=torch.float8_e4m3fn)


def fp8_block(weight):
    stored = compressed(weight, FP8_BLOCK, 'float-quantized')
    return stored, dequantize(stored['weight'].float(), stored['weight_scale'].float(), args=FP8_BLOCK)


def nvfp4(weight):
    """In float32: the library's own decompressor goes through bfloat16."""
    stored = compressed(weight, NVFP4, 'nvfp4-pack-quantized')
    codes = unpack_fp4_from_uint8(stored['weight_packed'], *weight.shape, dtype=torch.float32)
    return stored, dequantize(codes, stored['weight_scale'].float(), args=NVFP4, global_scale=stored['weight_global_scale'])


def fp8_tensor(weight):
    scale = weight.abs().amax() / E4M3_MAX
    codes = (weight / scale).to(torch.float8_e4m3fn)
    return {'weight': codes, 'qscale_weight': scale, 'qscale_act': torch.tensor(0.5)}, codes.float() * scale


# ---- checkpoints ----

def is_quantised(name):
    return name.endswith('.weight') and ('_proj.' in name or '.experts.' in name)


def per_expert(state):
    return {own: tensor for name, both in state.items() for own, tensor in per_expert_tensors(name, both).items()}


def fused(state):
    """What per_expert_tensors took apart, as the model in memory has it."""
    prefix = 'model.layers.0.block_sparse_moe.experts.{}.{}.weight'
    weights = [{part: state[prefix.format(expert, part)] for part in ('w1', 'w2', 'w3')} for expert in range(SHAPE['num_local_experts'])]
    plain = {name.replace('.block_sparse_moe.', '.mlp.'): tensor for name, tensor in state.items() if '.experts.' not in name}
    return plain | {
        'model.layers.0.mlp.experts.gate_up_proj': torch.stack([torch.cat([own['w1'], own['w3']]) for own in weights]),
        'model.layers.0.mlp.experts.down_proj': torch.stack([own['w2'] for own in weights]),
    }


def interleaved(weight, heads):
    """The inverse of permute_for_rope in transformers' convert_ministral3_weights_to_hf.py."""
    return weight.view(heads, 2, weight.shape[0] // heads // 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def permute_for_rope(tensor, n_heads, dim1, dim2):
    """As in that script."""
    return tensor.view(n_heads, dim1 // n_heads // 2, 2, dim2).transpose(1, 2).reshape(dim1, dim2)


def mistral_name(name):
    for ours, theirs in MISTRAL_NAMES.items():
        name = name.replace(ours, theirs)
    return name


def mistral_weight(name, weight, config):
    heads = {'q_proj': config['num_attention_heads'], 'k_proj': config['num_key_value_heads']}
    found = next((count for part, count in heads.items() if part in name), None)
    if found is None:
        return weight
    changed = interleaved(weight, found)
    assert torch.equal(permute_for_rope(changed, found, *weight.shape), weight)
    return changed


def params_of(config):
    params = {
        'dim': config['hidden_size'], 'n_layers': config['num_hidden_layers'], 'head_dim': config['head_dim'], 'hidden_dim': config['intermediate_size'],
        'n_heads': config['num_attention_heads'], 'n_kv_heads': config['num_key_value_heads'], 'norm_eps': config['rms_norm_eps'],
        'vocab_size': config['vocab_size'], 'rope_theta': config['rope_parameters']['rope_theta'], 'max_position_embeddings': config['max_position_embeddings'],
    }
    if config.get('sliding_window'):
        params['sliding_window'] = config['sliding_window']
    if 'num_local_experts' in config:
        params['moe'] = {'num_experts': config['num_local_experts'], 'num_experts_per_tok': config['num_experts_per_tok']}
    rope = config['rope_parameters']
    if rope['rope_type'] == 'yarn':
        assert rope['mscale'] == rope['mscale_all_dim'], 'apply_scale says whether the magnitude is corrected, not by how much'
        original = rope['original_max_position_embeddings']
        params['yarn'] = {'alpha': 1, 'beta': 32, 'factor': rope['factor'], 'original_max_position_embeddings': original, 'apply_scale': False}
        params['llama_4_scaling'] = {'beta': rope['llama_4_scaling_beta'], 'original_max_position_embeddings': original}
    if config['tie_word_embeddings']:
        params['tied_embeddings'] = True
    return params


def new_folder(name):
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + '\n')


def save(tensors, path):
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata={'format': 'pt'})


def quantise(state, form):
    """The stored tensors and the float32 values of each weight of `state`."""
    stored, values = {}, {}
    for name, weight in state.items():
        if not is_quantised(name):
            stored[name], values[name] = weight.to(torch.bfloat16), weight.to(torch.bfloat16).float()
            continue
        parts, values[name] = form(weight)
        stored.update({name.removesuffix('weight') + part: tensor for part, tensor in parts.items()})
    return stored, values


def write_hugging_face(name, state, config, form, quantization_config):
    folder = new_folder(name)
    stored, values = quantise(state, form)
    save(stored, folder / 'model.safetensors')
    write_json(folder / 'config.json', config | {'quantization_config': quantization_config})
    return folder, values


def write_mistral(name, state, config):
    """Two shards and an index. Quantised in Mistral's order of rows, of which one scale a tensor knows nothing."""
    folder = new_folder(name)
    stored, values = quantise(state, fp8_tensor)
    named = {mistral_name(own): mistral_weight(own, tensor, config) if own.endswith('.weight') else tensor for own, tensor in stored.items()}
    shards = [f'consolidated-{number:05d}-of-00002.safetensors' for number in (1, 2)]
    place = {own: shards[index % 2] for index, own in enumerate(sorted(named))}
    for shard in shards:
        save({own: tensor for own, tensor in named.items() if place[own] == shard}, folder / shard)
    write_json(folder / 'consolidated.safetensors.index.json', {'metadata': {}, 'weight_map': place})
    write_json(folder / 'params.json', params_of(config) | {'quantization': {'qformat_weight': 'fp8_e4m3', 'qscheme_act': 'TENSOR'}})
    return folder, values


def write_twin(source, name):
    """The weights of another fixture, in one file of Mistral's layout."""
    folder = new_folder(name)
    config = json.loads((MODELS / source / 'config.json').read_text())
    tensors = load_file(MODELS / source / 'model.safetensors')
    save({mistral_name(own): mistral_weight(own, tensor, config) for own, tensor in tensors.items()}, folder / 'consolidated.safetensors')
    write_json(folder / 'params.json', params_of(config))


# ---- vectors ----

def role_of(name):
    """As libs/io/files/test/golden-models.spec.ts names it: "0.query", "0.expert 1.gate"."""
    _, _, layer, _, *rest = name.split('.')
    return f'{layer}.{ROLES[rest[0]]}' if len(rest) == 2 else f'{layer}.expert {rest[1]}.{ROLES[rest[2]]}'


def digests(values):
    return {role_of(name): hashlib.sha256(np.ascontiguousarray(weight.numpy(), '<f4').tobytes()).hexdigest() for name, weight in values.items() if is_quantised(name)}


def write_fixture(model, folder, values):
    model.load_state_dict(fused(values))
    prompt_ids, run = choose_prompt(model, PROMPT_LENGTH)
    write_logits(folder.name, [folder], prompt_ids, run, stride=1)
    return {folder.name: digests(values)}


def bits_of(dtype, codes):
    return [f'{bits:08x}' for bits in np.arange(codes, dtype=np.uint8).view(dtype).astype(np.float32).view(np.uint32).tolist()]


def main():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    model = mixtral(**SHAPE).eval()
    model.set_attn_implementation('eager')
    model.set_experts_implementation('eager')
    randomise(model)
    scale_logits(model)
    kept = {*SHAPE, 'model_type', 'rms_norm_eps', 'rope_parameters', 'hidden_act', 'sliding_window'}
    config = {key: value for key, value in sorted(model.config.to_dict().items()) if key in kept} | {'architectures': ['MixtralForCausalLM'], 'dtype': 'bfloat16'}
    state = per_expert({name: tensor.float().clone() for name, tensor in model.state_dict().items()})
    group = {'targets': ['Linear'], 'input_activations': None, 'output_activations': None}
    method = {'quant_method': 'compressed-tensors', 'quantization_status': 'compressed', 'ignore': ['lm_head', 're:.*gate$']}
    fp8_config = method | {'format': 'float-quantized', 'config_groups': {'group_0': group | {'format': 'float-quantized', 'weights': json.loads(FP8_BLOCK.model_dump_json())}}}
    nvfp4_config = method | {'format': 'nvfp4-pack-quantized', 'config_groups': {'group_0': group | {'format': 'nvfp4-pack-quantized', 'weights': json.loads(NVFP4.model_dump_json())}}}
    fixtures = [
        write_hugging_face('mixtral-fp8-blocks', state, config, fp8_block, fp8_config),
        write_hugging_face('mixtral-nvfp4', state, config, nvfp4, nvfp4_config),
        write_mistral('mixtral-fp8-tensors-mistral-layout', state, config),
    ]
    weights = {}
    for folder, values in fixtures:
        weights |= write_fixture(model, folder, values)
    write_twin('mistral-window-bf16', 'mistral-window-mistral-layout')
    write_twin('ministral3-yarn-tied-bf16', 'ministral3-yarn-tied-mistral-layout')
    write_vector('checkpoint-forms', {
        'e4m3Bits': bits_of(ml_dtypes.float8_e4m3fn, 256), 'e2m1Bits': bits_of(ml_dtypes.float4_e2m1fn, 16), 'weightSha256': weights,
    })


if __name__ == '__main__':
    main()
