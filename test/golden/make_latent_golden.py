"""Makes the models with latent attention (MLA) and routers of several kinds, and their vectors. The oracle is Hugging Face transformers on the CPU.

Run by hand like make_golden.py, from which it takes the oracle, in the same environment:

    oracle/bin/python test/golden/make_latent_golden.py

Each model is computed a second time by latent_reference.py, in float64 and from formulas alone, and then once for each way of getting a part of it
wrong: a part that changes nothing here would not be tested. Both are printed and checked.
"""
import copy
import json
import shutil
from unittest import mock

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    DeepseekV3Config, DeepseekV3ForCausalLM, Mistral3Config, Mistral3ForConditionalGeneration, Mistral4Config, Mistral4ForCausalLM, PixtralVisionConfig,
)

import latent_reference
from make_golden import (
    DECODE_STEPS, MODELS, STRETCHED, check_cache_changes_nothing, choose_prompt, greedy, load_float32, scale_logits, write_logits,
)

# In scores of the choice, of which a softmax over 16 experts has small ones; float32 rounding is a hundredth of it.
LEAST_CHOICE_GAP = 2e-4
MOST_OFF_REFERENCE, LEAST_OFF_MISTAKE = 2e-5, 0.5
BIAS_SPREAD = 0.4


MISTRAL_4 = Mistral4ForCausalLM, Mistral4Config
DEEPSEEK_V3 = DeepseekV3ForCausalLM, DeepseekV3Config
SHAPE = dict(
    vocab_size=160, hidden_size=64, num_hidden_layers=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=None, tie_word_embeddings=False,
    num_attention_heads=4, num_key_value_heads=4, q_lora_rank=48, kv_lora_rank=32, qk_nope_head_dim=24, qk_rope_head_dim=16, v_head_dim=20,
    intermediate_size=96, moe_intermediate_size=16, n_routed_experts=16, num_experts_per_tok=4, n_shared_experts=1, n_group=1, topk_group=1,
    first_k_dense_replace=0, norm_topk_prob=True, routed_scaling_factor=1.0, rope_interleave=True)
CORRECTED = dict(STRETCHED, mscale=1.0, mscale_all_dim=1.0)

# What each fixture is for stands in README.md.
FIXTURES = [
    dict(name='mistral4-yarn-bf16', kind=MISTRAL_4, dtype=torch.bfloat16, prompt_length=40, shape=dict(
        SHAPE, rope_parameters=dict(CORRECTED, llama_4_scaling_beta=0.1))),
    dict(name='mistral4-yarn-uncorrected-bf16', kind=MISTRAL_4, dtype=torch.bfloat16, prompt_length=40, shape=dict(
        SHAPE, num_hidden_layers=3, n_routed_experts=8, moe_intermediate_size=24, first_k_dense_replace=1, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=24,
        rope_parameters=dict(STRETCHED, attention_factor=1.0, llama_4_scaling_beta=0.1))),
    dict(name='mistral4-yarn-groups-tied-f32', kind=MISTRAL_4, dtype=torch.float32, prompt_length=40, shape=dict(
        SHAPE, q_lora_rank=None, n_routed_experts=8, num_experts_per_tok=2, n_shared_experts=2, n_group=4, topk_group=2, first_k_dense_replace=1,
        intermediate_size=60, norm_topk_prob=False, routed_scaling_factor=2.5, rope_interleave=False, tie_word_embeddings=True,
        rope_parameters=dict(STRETCHED, beta_fast=1.0, beta_slow=0.25, llama_4_scaling_beta=0.3))),
    dict(name='deepseek-v3-yarn-groups-bf16', kind=DEEPSEEK_V3, dtype=torch.bfloat16, prompt_length=40, shape=dict(
        SHAPE, n_group=4, topk_group=2, first_k_dense_replace=1, routed_scaling_factor=2.5, rope_parameters=dict(CORRECTED))),
    dict(name='deepseek-v3-top8-tied-f16', kind=DEEPSEEK_V3, dtype=torch.float16, prompt_length=32, shape=dict(
        SHAPE, num_hidden_layers=3, q_lora_rank=None, n_routed_experts=12, moe_intermediate_size=24, num_experts_per_tok=8, n_shared_experts=2, first_k_dense_replace=2,
        num_attention_heads=3, num_key_value_heads=3, kv_lora_rank=40, qk_nope_head_dim=16, qk_rope_head_dim=24, v_head_dim=32, norm_topk_prob=False, routed_scaling_factor=0.7, rope_interleave=False,
        tie_word_embeddings=True, rope_parameters={'rope_type': 'default', 'rope_theta': 10000.0})),
    dict(name='deepseek-v3-yarn-top1-f32', kind=DEEPSEEK_V3, dtype=torch.float32, prompt_length=40, shape=dict(
        SHAPE, hidden_size=48, n_routed_experts=4, num_experts_per_tok=1, qk_rope_head_dim=12, moe_intermediate_size=28, routed_scaling_factor=1.5,
        num_attention_heads=2, num_key_value_heads=2, rope_parameters=dict(STRETCHED, mscale=2.0, mscale_all_dim=0.5))),
]
IMAGE_AND_TEXT_TWIN = 'mistral4-yarn-bf16', 'mistral4-images-yarn-bf16'
TRANSFORMERS_4_TWIN = 'deepseek-v3-yarn-groups-bf16', 'deepseek-v3-yarn-groups-transformers4-bf16'


# ---- checkpoints ----

def new_folder(name):
    folder = MODELS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_config(folder, config):
    (folder / 'config.json').write_text(json.dumps(dict(sorted(config.items())), indent=2) + '\n')


@torch.no_grad()
def randomise_latent(model):
    """As make_golden.randomise does; biases are large enough that they change what is chosen, and negative scores are among those that are chosen from."""
    gains = {'mlp.gate.weight': 2.0, 'embed_tokens': 1.5, 'lm_head': 1.0}
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.normal_(1.0, 0.2)
        else:
            gain = next((gain for part, gain in gains.items() if part in name), 1.0)
            weight.normal_(0.0, gain / weight.shape[-1] ** 0.5)
    for name, bias in model.named_buffers():
        if name.endswith('e_score_correction_bias'):
            bias.normal_(-0.5, BIAS_SPREAD)


def make_checkpoint(fixture):
    """Correction biases stay in float32, as published, but where all is float16."""
    folder = new_folder(fixture['name'])
    torch.manual_seed(7)
    kind, config = fixture['kind']
    model = kind(config(**fixture['shape'])).eval()
    randomise_latent(model)
    scale_logits(model)
    biases = {name: bias.clone() for name, bias in model.named_buffers() if name.endswith('e_score_correction_bias')}
    model.to(fixture['dtype'])
    if fixture['dtype'] != torch.float16:
        for name, bias in biases.items():
            model.get_submodule(name.rsplit('.', 1)[0]).e_score_correction_bias = bias
    model.save_pretrained(folder)
    return folder


def make_image_and_text_twin(source, folder):
    """The same weights as the text part of a model that sees images too, beside the weights of that part."""
    text = Mistral4ForCausalLM.from_pretrained(source)
    vision = PixtralVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14)
    config = {key: value for key, value in text.config.to_dict().items() if key != '_name_or_path'}
    torch.manual_seed(7)
    model = Mistral3ForConditionalGeneration(Mistral3Config(text_config=config, vision_config=vision, image_token_index=3, tie_word_embeddings=False))
    model.model.language_model.load_state_dict(text.model.state_dict())
    model.lm_head.load_state_dict(text.lm_head.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)


def make_transformers_4_twin(source, folder):
    """The same weights as DeepSeek published V3: rope_scaling, torch_dtype, and behind the last layer one that predicts the token after the next."""
    tensors = load_file(source / 'model.safetensors')
    config = json.loads((source / 'config.json').read_text())
    depth, hidden = config['num_hidden_layers'], config['hidden_size']
    beyond = {name.replace('.0.', f'.{depth}.'): tensor for name, tensor in tensors.items() if name.startswith('model.layers.0.self_attn.')}
    beyond |= {f'model.layers.{depth}.{name}.weight': torch.ones(hidden, dtype=torch.bfloat16) for name in ('enorm', 'hnorm', 'shared_head.norm')}
    beyond[f'model.layers.{depth}.eh_proj.weight'] = torch.ones(hidden, 2 * hidden, dtype=torch.bfloat16)
    save_file(tensors | {name: tensor.clone() for name, tensor in beyond.items()}, folder / 'model.safetensors', metadata={'format': 'pt'})
    rope = config.pop('rope_parameters')
    config |= {'rope_theta': rope.pop('rope_theta'), 'rope_scaling': dict(rope, type=rope.pop('rope_type')), 'torch_dtype': config.pop('dtype'),
               'scoring_func': 'sigmoid', 'topk_method': 'noaux_tc', 'moe_layer_freq': 1, 'num_nextn_predict_layers': 1, 'transformers_version': '4.33.1'}
    for absent in ('head_dim', 'qk_head_dim', 'rope_interleave', 'pad_token_id', 'num_mtp_layers'):
        config.pop(absent, None)
    write_config(folder, config)


def make_twin(fixture, prompt_ids, run):
    """Another folder with the same weights, for the fixtures that have one; the oracle says the same of it."""
    kinds = {IMAGE_AND_TEXT_TWIN: (make_image_and_text_twin, Mistral3ForConditionalGeneration), TRANSFORMERS_4_TWIN: (make_transformers_4_twin, DeepseekV3ForCausalLM)}
    for (source, name), (make, kind) in kinds.items():
        if source == fixture['name']:
            folder = new_folder(name)
            make(MODELS / source, folder)
            fed, logits = greedy(load_float32(folder, kind), prompt_ids, DECODE_STEPS)
            assert fed == run[0] and torch.equal(logits, run[1]), f'{name}, the twin, differs'
            return [folder]
    return []


# ---- how near to a tie, how far from the reference ----

class ChoiceGap:
    """Smallest distance between the last chosen and the first one left out, of experts and of groups, over all that the model routed meanwhile."""

    def __init__(self, model):
        self.smallest = float('inf')
        self.config = model.config.to_dict()
        self.hooks = [layer.mlp.gate.register_forward_hook(self.observe) for layer in model.model.layers if hasattr(layer.mlp, 'gate')]

    def observe(self, router, _inputs, outputs):
        bias = getattr(router, 'e_score_correction_bias', None)
        _, rank, groups = latent_reference.choice(self.config, outputs[0].double().numpy(), None if bias is None else bias.double().numpy())
        for ranked, count in (rank, self.config['num_experts_per_tok']), (groups, self.config['topk_group']):
            if count < ranked.shape[-1]:
                falling = -np.sort(-ranked, -1)
                self.smallest = min(self.smallest, (falling[:, count - 1] - falling[:, count]).min())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def float64(model):
    return {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}


def mistakes(config, weights):
    """A name and a model for each way of getting a part wrong that this model has."""
    def changed(**keys):
        return copy.deepcopy(config) | keys, weights

    def rope_without(*keys):
        return changed(rope_parameters={key: value for key, value in config['rope_parameters'].items() if key not in keys})

    without_bias = {name: weight * 0 if name.endswith('correction_bias') else weight for name, weight in weights.items()}
    yarn = config['rope_parameters']['rope_type'] == 'yarn'
    candidates = {
        'the other pairs': (True, changed(rope_interleave=not config['rope_interleave'])),
        'positions not stretched': (yarn, changed(rope_parameters=dict(config['rope_parameters'], factor=1.0))),
        'scores not scaled': (yarn and config['rope_parameters'].get('mscale_all_dim'), changed(rope_parameters=dict(config['rope_parameters'], mscale_all_dim=1e-9))),
        'magnitude as in the paper': (yarn and config['rope_parameters'].get('attention_factor'), rope_without('attention_factor')),
        'queries not scaled': (config['rope_parameters'].get('llama_4_scaling_beta'), rope_without('llama_4_scaling_beta')),
        'groups ignored': (config['n_group'] > 1, changed(n_group=1, topk_group=1)),
        'no correction of the choice': (any(name.endswith('correction_bias') for name in weights), (config, without_bias)),
        'gates normalised or not': (True, changed(norm_topk_prob=not config['norm_topk_prob'])),
        'gates not scaled': (config['routed_scaling_factor'] != 1, changed(routed_scaling_factor=1.0)),
    }
    return {name: model for name, (applies, model) in candidates.items() if applies}


def check_reference(name, model, ids, logits):
    def off(config, weights):
        return np.abs(latent_reference.logits(config, weights, ids) - logits.numpy()).max()

    right = model.config.to_dict(), float64(model)
    print(f'{name}: {off(*right):.1e} off the reference in float64')
    assert off(*right) < MOST_OFF_REFERENCE, f'{name} is not what the reference computes'
    moved = {mistake: off(*wrong) for mistake, wrong in mistakes(*right).items()}
    if isinstance(model, DeepseekV3ForCausalLM) and model.config.n_group > 1:
        with mock.patch.object(latent_reference, 'LEFT_OUT', 0.0):
            moved['zero for what is left out'] = off(*right)
    for mistake, distance in moved.items():
        print(f'    {distance:.2f} off with: {mistake}')
        assert distance > LEAST_OFF_MISTAKE, f'{name} would not show it: {mistake}'


def make_fixture(fixture):
    folders = [make_checkpoint(fixture)]
    model = load_float32(folders[0], fixture['kind'][0])
    prompt_ids, run = choose_prompt(model, fixture['prompt_length'], ChoiceGap, LEAST_CHOICE_GAP)
    fed, logits, _ = run
    check_cache_changes_nothing(model, prompt_ids + fed, logits)
    check_reference(fixture['name'], model, prompt_ids + fed, logits)
    folders += make_twin(fixture, prompt_ids, run)
    write_logits(fixture['name'], folders, prompt_ids, run, stride=1)


def main():
    torch.set_num_threads(1)
    for fixture in FIXTURES:
        make_fixture(fixture)


if __name__ == '__main__':
    main()
