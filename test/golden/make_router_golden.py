"""Makes vectors/routers.json: which experts the routers of Hugging Face transformers choose for given logits, and their gates, in float32.

Run by hand, when a router is added; the tests read only what it wrote:

    oracle/bin/pip install torch==2.15.0 transformers==5.24.0
    oracle/bin/python test/golden/make_router_golden.py
"""
import json
from importlib.metadata import version
from pathlib import Path

import torch
from transformers.models.deepseek_v3.configuration_deepseek_v3 import DeepseekV3Config
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter
from transformers.models.mistral4.configuration_mistral4 import Mistral4Config
from transformers.models.mistral4.modeling_mistral4 import Mistral4TopkRouter
from transformers.models.mixtral.configuration_mixtral import MixtralConfig
from transformers.models.mixtral.modeling_mixtral import MixtralTopKRouter

OUTPUT = Path(__file__).resolve().parent / 'vectors' / 'routers.json'
# Logits and biases are multiples of these: short to write, exact in float32.
LOGIT_STEP, BIAS_STEP = 2 ** -8, 2 ** -10
# No choice, of groups or of experts, is nearer to a tie than this in what is compared: rounding can't change it.
MARGIN = 1e-5

# experts, experts a token, groups, groups a token, normalised, scale, tokens
CASES = {
    'mixtral-8x7b': ('mixtral', 8, 2, 1, 1, True, 1.0, 8),
    'mistral-small-4': ('softmax', 128, 4, 1, 1, True, 1.0, 4),
    'softmax-groups-unnormalised-scaled': ('softmax', 16, 3, 4, 2, False, 2.5, 16),
    'softmax-groups-of-two': ('softmax', 12, 4, 6, 3, True, 1.0, 16),
    'deepseek-v3': ('sigmoid', 256, 8, 8, 4, True, 2.5, 4),
    'sigmoid-unnormalised': ('sigmoid', 16, 5, 1, 1, False, 1.0, 16),
    'sigmoid-groups-one-expert': ('sigmoid', 8, 1, 4, 1, True, 1.5, 16),
}


def router_of(kind, experts, per_token, groups, groups_per_token, normalised, scale):
    shape = {'hidden_size': experts, 'num_experts_per_tok': per_token}
    if kind == 'mixtral':
        router = MixtralTopKRouter(MixtralConfig(num_local_experts=experts, **shape))
    else:
        grouped = {'n_routed_experts': experts, 'n_group': groups, 'topk_group': groups_per_token, 'norm_topk_prob': normalised, 'routed_scaling_factor': scale}
        router = DeepseekV3TopkRouter(DeepseekV3Config(**shape, **grouped)) if kind == 'sigmoid' else Mistral4TopkRouter(Mistral4Config(**shape, **grouped))
    # Logits are a matrix times the hidden state: of the identity they are what is put in.
    router.weight.data = torch.eye(experts)
    return router


def is_clear(kind, logits, bias, per_token, groups, groups_per_token):
    """Whether the choice of one token is far from every tie, computed in float64."""
    ranks = logits.double().softmax(-1) if kind != 'sigmoid' else logits.double().sigmoid() + bias.double()
    if groups_per_token < groups:
        by_group = ranks.view(groups, -1)
        best, kept = by_group.topk(2, dim=-1)[0].sum(-1).sort(descending=True)
        if best[groups_per_token - 1] - best[groups_per_token] < MARGIN:
            return False
        ranks = by_group[kept[:groups_per_token]].flatten()
    ordered = ranks.sort(descending=True)[0]
    return per_token == len(ordered) or bool(ordered[per_token - 1] - ordered[per_token] >= MARGIN)


def draw(kind, experts, per_token, groups, groups_per_token, tokens, generator):
    """Logits of a spread as real routers have it, and a bias that is often negative and large enough to matter."""
    bias = torch.round(torch.randn(experts, generator=generator) * 0.3 / BIAS_STEP) * BIAS_STEP if kind == 'sigmoid' else None
    rows = []
    while len(rows) < tokens:
        row = torch.round(torch.randn(experts, generator=generator) * 2 / LOGIT_STEP) * LOGIT_STEP
        if is_clear(kind, row, bias, per_token, groups, groups_per_token):
            rows.append(row)
    return torch.stack(rows), bias


def case_of(name, kind, experts, per_token, groups, groups_per_token, normalised, scale, tokens):
    generator = torch.Generator().manual_seed(sum(name.encode()))
    logits, bias = draw(kind, experts, per_token, groups, groups_per_token, tokens, generator)
    router = router_of(kind, experts, per_token, groups, groups_per_token, normalised, scale)
    if bias is not None:
        router.e_score_correction_bias.copy_(bias)
    with torch.no_grad():
        _, gates, ids = router(logits)
    order = ids.argsort(-1)
    return {
        'name': name, 'kind': 'sigmoid' if kind == 'sigmoid' else 'softmax', 'expertCount': experts, 'expertsPerToken': per_token,
        'groupCount': groups, 'groupsPerToken': groups_per_token, 'renormalised': normalised, 'scale': scale,
        'logits': logits.flatten().tolist(), 'correctionBias': None if bias is None else bias.tolist(),
        'experts': ids.gather(-1, order).flatten().tolist(), 'gates': gates.gather(-1, order).flatten().tolist(),
    }


if __name__ == '__main__':
    vectors = {'madeWith': {name: version(name) for name in ('torch', 'transformers')}, 'routers': [case_of(name, *case) for name, case in CASES.items()]}
    OUTPUT.write_text(json.dumps(vectors, separators=(',', ':')) + '\n')
    print(f'{OUTPUT}: {OUTPUT.stat().st_size} bytes')
