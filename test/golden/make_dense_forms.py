"""Makes a Ministral 3 in FP8 with one scale a matrix, as Mistral publishes it in both layouts, and what it means.

Run by hand like make_checkpoint_forms.py, from which it takes the forms and names.
"""
import json

import torch

from make_checkpoint_forms import E4M3_MAX, digests, mistral_name, mistral_weight, new_folder, params_of, quantise, save, write_json
from make_golden import STRETCHED, STRETCHED_SHAPE, choose_prompt, ministral3, randomise, scale_logits, write_logits, write_vector

NAME = 'ministral3-yarn-fp8-tensors'
PROMPT_LENGTH = 40
KEPT = {*STRETCHED_SHAPE, 'model_type', 'rms_norm_eps', 'rope_parameters', 'hidden_act', 'sliding_window', 'tie_word_embeddings'}
HUGGING_FACE = {'quant_method': 'fp8', 'activation_scheme': 'static', 'weight_block_size': None, 'modules_to_not_convert': ['lm_head']}
MISTRAL = {'qformat_weight': 'fp8_e4m3', 'qscheme_act': 'TENSOR'}


def fp8_tensor(weight):
    """One bf16 scale, and one of activations beside."""
    scale = (weight.abs().amax() / E4M3_MAX).to(torch.bfloat16)
    codes = (weight / scale.float()).clamp(-E4M3_MAX, E4M3_MAX).to(torch.float8_e4m3fn)
    return {'weight': codes, 'weight_scale_inv': scale, 'activation_scale': torch.tensor(0.5, dtype=torch.bfloat16)}, codes.float() * scale.float()


def write_hugging_face(config, stored):
    folder = new_folder(NAME)
    save(stored, folder / 'model.safetensors')
    kept = {key: value for key, value in sorted(config.items()) if key in KEPT}
    write_json(folder / 'config.json', kept | {'architectures': ['Ministral3ForCausalLM'], 'dtype': 'bfloat16', 'quantization_config': HUGGING_FACE})
    return folder


def write_mistral(config, stored):
    """The same codes and scales; one scale a tensor knows nothing of the order of rows."""
    folder = new_folder(f'{NAME}-mistral-layout')
    named = {}
    for own, tensor in stored.items():
        name = mistral_name(own).replace('weight_scale_inv', 'qscale_weight').replace('activation_scale', 'qscale_act')
        named[name] = mistral_weight(own, tensor, config) if own.endswith('.weight') else tensor
    save(named, folder / 'consolidated.safetensors')
    write_json(folder / 'params.json', params_of(config) | {'quantization': MISTRAL})
    return folder


def main():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    shape = dict(STRETCHED_SHAPE, num_hidden_layers=1, tie_word_embeddings=False, rope_parameters=dict(STRETCHED, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1))
    model = ministral3(**shape).eval()
    model.set_attn_implementation('eager')
    randomise(model)
    scale_logits(model)
    stored, values = quantise({name: tensor.float().clone() for name, tensor in model.state_dict().items()}, fp8_tensor)
    config = json.loads(json.dumps(model.config.to_dict()))
    folders = [write_hugging_face(config, stored), write_mistral(config, stored)]
    model.load_state_dict(values)
    prompt_ids, run = choose_prompt(model, PROMPT_LENGTH)
    write_logits(NAME, folders, prompt_ids, run, stride=1)
    write_vector('dense-forms', {'weightSha256': {folder.name: digests(values) for folder in folders}})


if __name__ == '__main__':
    main()
