"""Makes the golden files that Essaim's engine and tokenizer are compared with. The oracle is Hugging Face transformers on the CPU.

Run by hand, when a model family or a fixture is added; the tests read only what it wrote and need no Python:

    python3 -m venv oracle
    oracle/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 tokenizers==0.23.3 numpy==2.3.5
    oracle/bin/python test/golden/make_golden.py                 # everything but the held-back text, about two minutes
    oracle/bin/python test/golden/make_golden.py --corpus DIR    # also cuts held-back.txt again, from DIR/val.bin

Seeds and thread count are fixed: with the versions above (Python 3.11) the same machine writes the same bytes again. Each vector file
records the versions that made it. README.md beside this file describes the formats.
"""
import argparse
import hashlib
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import safetensors
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM, Ministral3Config, Ministral3ForCausalLM, Mistral3Config, Mistral3ForConditionalGeneration, MistralConfig, MistralForCausalLM,
    MixtralConfig, MixtralForCausalLM, PixtralVisionConfig,
)

from golden_texts import GREEDY_PROMPTS, LOGITS_PROMPT, TOKENIZER_STRINGS

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / 'test/golden'
VECTORS = GOLDEN / 'vectors'
MODELS = GOLDEN / 'models'
PETIT = REPOSITORY / 'deploy/models/petit'

VERSIONS = {'python': platform.python_version(), 'torch': torch.__version__, 'transformers': transformers.__version__,
            'safetensors': safetensors.__version__, 'tokenizers': tokenizers.__version__, 'numpy': np.__version__}

DECODE_STEPS = 32
LARGEST_LOGIT = 10.0
# Distances from a tie, in logits, so that float32 rounding can't change a choice of token or of expert.
FIXTURE_GREEDY_GAP, FIXTURE_ROUTER_GAP = 2e-2, 2e-3
PETIT_GREEDY_GAP, PETIT_ROUTER_GAP = 1e-3, 1e-4
PETIT_VOCABULARY_STRIDE = 16
GREEDY_TOKENS, GREEDY_PROMPTS_PER_LANGUAGE = 64, 10
PERPLEXITY_WINDOW = 256
HELD_BACK_CHARACTERS_PER_NOVEL = 18_000


# ---- files ----

def write_vector(name, fields):
    """One line a field, so that a diff stays readable."""
    lines = [f'  {json.dumps(key)}: {json.dumps(value, ensure_ascii=True)}' for key, value in {'madeWith': VERSIONS, **fields}.items()]
    (VECTORS / f'{name}.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')
    print('wrote', name)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checkpoint_digest(folder):
    """What the vectors were made from: a changed checkpoint with old vectors is found by the integrity test."""
    files = [*folder.glob('config.json'), *folder.glob('params.json'), *sorted(folder.glob('*.safetensors')), *sorted(folder.glob('*.index.json'))]
    return {'folder': str(folder.relative_to(REPOSITORY)), 'sha256': {file.name: sha256(file) for file in files}}


def round_trip(values):
    """float32 values as the shortest decimals that give them back."""
    return [float(str(value)) for value in np.asarray(values, dtype=np.float32)]


# ---- the oracle ----

def load_float32(folder, kind=AutoModelForCausalLM):
    """The stored weights upcast to float32, every kernel in its plainest form."""
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation='eager', experts_implementation='eager').eval()


class RouterGap:
    """Smallest distance between the last chosen expert's logit and the first one left out, over all that the model routed meanwhile."""

    def __init__(self, model):
        self.smallest = float('inf')
        self.top_k = getattr(model.config, 'num_experts_per_tok', None)
        routers = [layer.mlp.gate for layer in model.model.layers if hasattr(layer.mlp, 'gate')]
        self.hooks = [router.register_forward_hook(self.observe) for router in routers]

    def observe(self, _router, _inputs, outputs):
        ranked = outputs[0].sort(dim=-1, descending=True).values
        self.smallest = min(self.smallest, (ranked[:, self.top_k - 1] - ranked[:, self.top_k]).min().item())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


@torch.no_grad()
def greedy(model, prompt_ids, steps):
    """Feeds the prompt, then `steps` times the most likely next token, with a KV cache.

    Returns the ids fed after the prompt and the logits [len(prompt) + steps, vocab]: row i is what the model says after token i.
    """
    output = model(torch.tensor([prompt_ids]), use_cache=True)
    rows, fed = [output.logits[0]], []
    for _ in range(steps):
        fed.append(int(rows[-1][-1].argmax()))
        output = model(torch.tensor([[fed[-1]]]), past_key_values=output.past_key_values, use_cache=True)
        rows.append(output.logits[0])
    return fed, torch.cat(rows)


def greedy_gap(logits, prompt_length):
    """Smallest distance between the best and the second best logit over the rows that chose a token."""
    best = logits[prompt_length - 1:-1].topk(2).values
    return (best[:, 0] - best[:, 1]).min().item()


def write_logits(name, folders, prompt_ids, run, stride):
    fed, logits, router_gap = run
    columns = logits[:, ::stride].contiguous().numpy().astype('<f4')
    binary = VECTORS / f'{name}.f32'
    binary.write_bytes(columns.tobytes())
    write_vector(name, {
        'checkpoints': [checkpoint_digest(folder) for folder in folders],
        'promptIds': prompt_ids,
        'greedyIds': fed,
        'rows': columns.shape[0], 'columns': columns.shape[1], 'vocabularySize': logits.shape[1], 'vocabularyStride': stride,
        'sha256': sha256(binary),
        'argmaxIds': logits.argmax(-1).tolist(),
        'maxLogits': round_trip(logits.max(-1).values),
        'logSumExps': round_trip(logits.double().logsumexp(-1)),
        'largestAbsoluteLogit': logits.abs().max().item(),
        'smallestGreedyGap': greedy_gap(logits, len(prompt_ids)),
        'smallestRouterGap': router_gap if router_gap < float('inf') else None,
    })


# ---- tiny random checkpoints ----

def mixtral(**shape):
    return MixtralForCausalLM(MixtralConfig(**shape))


def mistral(**shape):
    return MistralForCausalLM(MistralConfig(**shape))


def ministral3(**shape):
    return Ministral3ForCausalLM(Ministral3Config(**shape))


SHARED_SHAPE = dict(vocab_size=256, hidden_size=64, num_hidden_layers=2, max_position_embeddings=512, bos_token_id=1, eos_token_id=2)

# The prompt alone is longer than the original context, so that queries are scaled by more than one factor.
STRETCHED = {'rope_type': 'yarn', 'rope_theta': 1000.0, 'factor': 8.0, 'original_max_position_embeddings': 16}
STRETCHED_SHAPE = dict(
    SHARED_SHAPE, max_position_embeddings=128, pad_token_id=None, num_attention_heads=4, num_key_value_heads=2, head_dim=32, intermediate_size=96)

# What each fixture is for stands in README.md.
FIXTURES = [
    dict(name='mixtral-top2-tied-f32', build=mixtral, dtype=torch.float32, prompt_length=24, save={}, shape=dict(
        SHARED_SHAPE, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
        tie_word_embeddings=True, rope_parameters={'rope_type': 'default', 'rope_theta': 10000.0})),
    dict(name='mixtral-top4-fused-bf16', build=mixtral, dtype=torch.bfloat16, prompt_length=32, save=dict(save_original_format=False), shape=dict(
        SHARED_SHAPE, num_attention_heads=4, num_key_value_heads=1, intermediate_size=32, num_local_experts=16, num_experts_per_tok=4,
        tie_word_embeddings=False)),
    dict(name='mixtral-top1-odd-sharded-f16', build=mixtral, dtype=torch.float16, prompt_length=28, save=dict(max_shard_size='160KB'), shape=dict(
        SHARED_SHAPE, vocab_size=300, hidden_size=80, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=32,
        intermediate_size=72, num_local_experts=5, num_experts_per_tok=1, rms_norm_eps=1e-6, tie_word_embeddings=False)),
    dict(name='mistral-window-bf16', build=mistral, dtype=torch.bfloat16, prompt_length=40, save={}, shape=dict(
        SHARED_SHAPE, num_hidden_layers=3, num_attention_heads=8, num_key_value_heads=2, head_dim=16, intermediate_size=96,
        sliding_window=12, tie_word_embeddings=False)),
    dict(name='ministral3-yarn-tied-bf16', build=ministral3, dtype=torch.bfloat16, prompt_length=40, save={}, shape=dict(
        STRETCHED_SHAPE, tie_word_embeddings=True, rope_parameters=dict(STRETCHED, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1))),
    dict(name='ministral3-yarn-corrected-window-f16', build=ministral3, dtype=torch.float16, prompt_length=40, save={}, shape=dict(
        STRETCHED_SHAPE, sliding_window=24, tie_word_embeddings=False, rope_parameters=dict(STRETCHED, beta_fast=1.0, beta_slow=0.25, llama_4_scaling_beta=0.3))),
    dict(name='mistral-yarn-f32', build=mistral, dtype=torch.float32, prompt_length=40, save={}, shape=dict(
        STRETCHED_SHAPE, num_hidden_layers=1, sliding_window=None, tie_word_embeddings=False, rope_parameters=dict(STRETCHED, mscale=2.0, mscale_all_dim=0.5))),
]
TRANSFORMERS_4_TWIN = 'mixtral-top4-fused-bf16', 'mixtral-top4-transformers4-bf16'
IMAGE_AND_TEXT_TWIN = 'ministral3-yarn-tied-bf16', 'mistral3-images-yarn-tied-bf16'


@torch.no_grad()
def randomise(model):
    """Weights under which every part matters: attention is peaked, routers decide, norms differ by channel, branches outweigh the embedding."""
    gains = {'q_proj': 1.3, 'k_proj': 1.3, 'mlp.gate.weight': 2.0, 'embed_tokens': 0.7, 'lm_head': 1.0}
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.normal_(1.0, 0.2)
        else:
            gain = next((gain for part, gain in gains.items() if part in name), 1.2)
            weight.normal_(0.0, gain / weight.shape[-1] ** 0.5)


@torch.no_grad()
def scale_logits(model):
    """The final norm's weight is linear in the logits, tied or not."""
    probe = torch.randint(3, model.config.vocab_size, (1, 128))
    model.model.norm.weight.mul_(LARGEST_LOGIT / model(probe).logits.abs().max())


def make_checkpoint(fixture):
    folder = MODELS / fixture['name']
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(7)
    model = fixture['build'](**fixture['shape'])
    randomise(model)
    scale_logits(model)
    model.to(fixture['dtype']).save_pretrained(folder, **fixture['save'])
    return folder


def make_transformers_4_twin():
    """The same weights as published Mixtral checkpoints have them: per-expert names, rope_theta, torch_dtype, no head_dim."""
    source, folder = (MODELS / name for name in TRANSFORMERS_4_TWIN)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tensors = {}
    for name, tensor in load_file(source / 'model.safetensors').items():
        tensors.update(per_expert_tensors(name, tensor))
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / 'model.safetensors', metadata={'format': 'pt'})
    config = json.loads((source / 'config.json').read_text())
    config['rope_theta'] = config.pop('rope_parameters')['rope_theta']
    config['torch_dtype'] = config.pop('dtype')
    config['transformers_version'] = '4.36.0'
    for absent in ('head_dim', 'pad_token_id', 'router_jitter_noise'):
        config.pop(absent)
    (folder / 'config.json').write_text(json.dumps(dict(sorted(config.items())), indent=2) + '\n')
    return folder


def per_expert_tensors(name, tensor):
    """gate_up_proj [experts, 2 * size, hidden] is w1 over w3; down_proj [experts, hidden, size] is w2."""
    if name.endswith('experts.gate_up_proj'):
        parts = [{'w1': both[:both.shape[0] // 2], 'w3': both[both.shape[0] // 2:]} for both in tensor]
    elif name.endswith('experts.down_proj'):
        parts = [{'w2': down} for down in tensor]
    else:
        return {name.replace('.mlp.gate.', '.block_sparse_moe.gate.'): tensor}
    prefix = name.replace('.mlp.', '.block_sparse_moe.').rsplit('.', 1)[0]
    return {f'{prefix}.{expert}.{part}.weight': weight for expert, named in enumerate(parts) for part, weight in named.items()}


def make_image_and_text_twin():
    """The same weights as the text part of a model that sees images too, beside the weights of that part."""
    source, folder = (MODELS / name for name in IMAGE_AND_TEXT_TWIN)
    shutil.rmtree(folder, ignore_errors=True)
    text = Ministral3ForCausalLM.from_pretrained(source)
    vision = PixtralVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14)
    config = {key: value for key, value in text.config.to_dict().items() if key != '_name_or_path'}
    torch.manual_seed(7)
    model = Mistral3ForConditionalGeneration(Mistral3Config(text_config=config, vision_config=vision, image_token_index=3, tie_word_embeddings=True))
    model.model.language_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def make_twin(fixture, prompt_ids, run):
    """Another folder with the same weights, for the fixtures that have one; the oracle says the same of it."""
    make, load = {
        TRANSFORMERS_4_TWIN[0]: (make_transformers_4_twin, load_float32),
        IMAGE_AND_TEXT_TWIN[0]: (make_image_and_text_twin, lambda folder: load_float32(folder, Mistral3ForConditionalGeneration)),
    }.get(fixture['name'], (None, None))
    if make is None:
        return []
    folder = make()
    fed, logits = greedy(load(folder), prompt_ids, DECODE_STEPS)
    assert fed == run[0] and torch.equal(logits, run[1]), f'{folder.name}, the twin, differs'
    return [folder]


def choose_prompt(model, length, watch=RouterGap, least_router_gap=FIXTURE_ROUTER_GAP):
    """The first random prompt whose whole run stays clear of ties, wanders over the vocabulary and never says </s>."""
    for seed in range(1000):
        numbers = np.random.default_rng(seed).integers(3, model.config.vocab_size, length)
        prompt_ids = [int(number) for number in numbers]
        with watch(model) as router_gap:
            fed, logits = greedy(model, prompt_ids, DECODE_STEPS)
        clear = greedy_gap(logits, length) > FIXTURE_GREEDY_GAP and router_gap.smallest > least_router_gap
        if clear and len(set(fed)) > DECODE_STEPS // 2 and model.config.eos_token_id not in fed:
            return prompt_ids, (fed, logits, router_gap.smallest)
    raise SystemExit('no prompt found that stays clear of ties')


@torch.no_grad()
def check_cache_changes_nothing(model, ids, logits):
    whole = model(torch.tensor([ids])).logits[0]
    assert (whole - logits).abs().max() < 5e-5, 'decoding with a cache differs from one pass over the same tokens'


def make_fixture(fixture):
    folders = [make_checkpoint(fixture)]
    model = load_float32(folders[0])
    prompt_ids, run = choose_prompt(model, fixture['prompt_length'])
    fed, logits, _ = run
    check_cache_changes_nothing(model, prompt_ids + fed, logits)
    folders += make_twin(fixture, prompt_ids, run)
    write_logits(fixture['name'], folders, prompt_ids, run, stride=1)


# ---- the built-in model ----

def make_petit_logits(model, tokenizer):
    prompt_ids = tokenizer.encode(LOGITS_PROMPT).ids
    with RouterGap(model) as router_gap:
        fed, logits = greedy(model, prompt_ids, DECODE_STEPS)
    check_cache_changes_nothing(model, prompt_ids + fed, logits)
    assert greedy_gap(logits, len(prompt_ids)) > PETIT_GREEDY_GAP and router_gap.smallest > PETIT_ROUTER_GAP, 'choose another LOGITS_PROMPT'
    write_logits('petit', [PETIT], prompt_ids, (fed, logits, router_gap.smallest), PETIT_VOCABULARY_STRIDE)


def greedy_text(model, tokenizer, language, prompt):
    prompt_ids = tokenizer.encode(prompt).ids
    with RouterGap(model) as router_gap:
        fed, logits = greedy(model, prompt_ids, GREEDY_TOKENS)
    gap = greedy_gap(logits, len(prompt_ids))
    clear = gap > PETIT_GREEDY_GAP and router_gap.smallest > PETIT_ROUTER_GAP and model.config.eos_token_id not in fed
    print(f'{"kept" if clear else "near a tie"}: {prompt!r} greedy gap {gap:.5f}, router gap {router_gap.smallest:.5f}')
    return {'language': language, 'prompt': prompt, 'promptIds': prompt_ids, 'greedyIds': fed, 'text': tokenizer.decode(fed),
            'smallestGreedyGap': gap, 'smallestRouterGap': router_gap.smallest} if clear else None


def make_petit_greedy(model, tokenizer):
    """The first ten prompts of each language that stay clear of ties for 64 tokens."""
    kept = []
    for language, prompts in GREEDY_PROMPTS.items():
        runs = (greedy_text(model, tokenizer, language, prompt) for prompt in prompts)
        clear = [run for _, run in zip(range(GREEDY_PROMPTS_PER_LANGUAGE), (run for run in runs if run))]
        assert len(clear) == GREEDY_PROMPTS_PER_LANGUAGE, f'more {language} prompts are needed in golden_texts.py'
        kept += clear
    write_vector('petit-greedy', {'checkpoints': [checkpoint_digest(PETIT)], 'runs': kept})


def cut_held_back(corpus, tokenizer):
    """Whole paragraphs from the middle of each of the two held-back novels (<s> ... </s> each), about as long."""
    ids = np.fromfile(corpus / 'val.bin', dtype=np.uint16)
    starts, ends = np.flatnonzero(ids == 0), np.flatnonzero(ids == 1)
    excerpts = []
    for start, end in zip(starts, ends):
        middle = (int(start) + int(end)) // 2
        text = tokenizer.decode(ids[middle:middle + HELD_BACK_CHARACTERS_PER_NOVEL // 2].tolist())
        first = text.index('\n') + 1
        last = text.rindex('\n', first, first + HELD_BACK_CHARACTERS_PER_NOVEL) + 1
        excerpts.append(text[first:last])
    (GOLDEN / 'held-back.txt').write_bytes(''.join(excerpts).encode())


@torch.no_grad()
def make_petit_perplexity(model, tokenizer):
    """Mean negative log likelihood of tokens 2..256 of each consecutive window of 256; a shorter rest is left out."""
    ids = tokenizer.encode((GOLDEN / 'held-back.txt').read_bytes().decode()).ids
    windows = torch.tensor(ids[:len(ids) // PERPLEXITY_WINDOW * PERPLEXITY_WINDOW]).view(-1, PERPLEXITY_WINDOW)
    losses = []
    for window in windows:
        logits = model(window[None]).logits[0, :-1].double()
        losses.append(torch.nn.functional.cross_entropy(logits, window[1:]).item())
    mean = sum(losses) / len(losses)
    write_vector('petit-perplexity', {
        'checkpoints': [checkpoint_digest(PETIT)], 'text': 'held-back.txt', 'textSha256': sha256(GOLDEN / 'held-back.txt'), 'ids': ids,
        'windowTokens': PERPLEXITY_WINDOW, 'windowLosses': losses, 'meanLoss': mean, 'perplexity': float(np.exp(mean)),
    })


def make_petit_tokenizer(tokenizer):
    """Ids of each string, and the text of id runs that begin or end inside a character."""
    encodings = [{'text': text, 'ids': tokenizer.encode(text).ids} for text in TOKENIZER_STRINGS]
    for entry in encodings:
        entry['decoded'] = tokenizer.decode(entry['ids'], skip_special_tokens=False)
    torn_source = tokenizer.encode('naïve 😀漢字 🇫🇷 é').ids
    torn = [torn_source[first:last] for first in range(len(torn_source)) for last in (first + 1, first + 3, len(torn_source))]
    decodings = [{'ids': ids, 'text': tokenizer.decode(ids, skip_special_tokens=False)} for ids in torn]
    write_vector('petit-tokenizer', {'tokenizerSha256': sha256(PETIT / 'tokenizer.json'), 'encodings': encodings, 'decodings': decodings})


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--corpus', type=Path, help='folder with val.bin; cuts held-back.txt again')
    corpus = arguments.parse_args().corpus
    torch.set_num_threads(1)
    VECTORS.mkdir(exist_ok=True)
    MODELS.mkdir(exist_ok=True)
    for fixture in FIXTURES:
        make_fixture(fixture)
    tokenizer = tokenizers.Tokenizer.from_file(str(PETIT / 'tokenizer.json'))
    make_petit_tokenizer(tokenizer)
    if corpus:
        cut_held_back(corpus, tokenizer)
    model = load_float32(PETIT)
    make_petit_logits(model, tokenizer)
    make_petit_perplexity(model, tokenizer)
    make_petit_greedy(model, tokenizer)


if __name__ == '__main__':
    main()
