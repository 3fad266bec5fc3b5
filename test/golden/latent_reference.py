"""What a model with latent attention computes, in plain NumPy float64: Mistral4ForCausalLM and DeepseekV3ForCausalLM of transformers 5.23.

It is the cross-check of the oracle in make_latent_golden.py, and says in one page what kernels must do. Attention is in its absorbed form: of a
token only its latent and one rotated key are kept, keys and values of the heads are never made.

T is tokens, H heads, E experts. A row of a matrix is one output. `weights` has the names of transformers' state_dict, in float64.
"""
import math

import numpy as np

# Of the norms over the two latents, whatever rms_norm_eps says: transformers never hands it to them.
LATENT_EPSILON = 1e-6
# What experts of groups that were not chosen are ranked by. Not zero: with a negative bias that is more than a chosen group may have.
LEFT_OUT = -np.inf


def logits(config, weights, ids):
    """[T, vocabulary] of the tokens `ids`, each knowing itself and those before it. `config` is what config.json says of the text part."""
    hidden = weights['model.embed_tokens.weight'][np.asarray(ids)]
    for layer in range(config['num_hidden_layers']):
        own = within(weights, f'model.layers.{layer}.')
        hidden = hidden + attention(config, within(own, 'self_attn.'), rms_norm(hidden, own['input_layernorm.weight'], config['rms_norm_eps']))
        network = dense if layer < config['first_k_dense_replace'] else routed
        hidden = hidden + network(config, within(own, 'mlp.'), rms_norm(hidden, own['post_attention_layernorm.weight'], config['rms_norm_eps']))
    head = weights['model.embed_tokens.weight' if config['tie_word_embeddings'] else 'lm_head.weight']
    return rms_norm(hidden, weights['model.norm.weight'], config['rms_norm_eps']) @ head.T


def within(weights, prefix):
    return {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}


def rms_norm(values, weight, epsilon):
    return values / np.sqrt((values * values).mean(-1, keepdims=True) + epsilon) * weight


def softmax(values):
    exponentials = np.exp(values - values.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


# ---- attention ----

def attention(config, own, hidden):
    """[T, hidden] -> [T, hidden]."""
    plain, rotary, rank = config['qk_nope_head_dim'], config['qk_rope_head_dim'], config['kv_lora_rank']
    positions = np.arange(len(hidden))
    query = queries(config, own, hidden).reshape(len(hidden), -1, plain + rotary)
    compressed = hidden @ own['kv_a_proj_with_mqa.weight'].T
    latent = rms_norm(compressed[:, :rank], own['kv_a_layernorm.weight'], LATENT_EPSILON)
    # Both are all that is kept of a token: [T, rank] and [T, rotary].
    key = rotate(config, compressed[:, None, rank:], positions)[:, 0]

    # Of each head the rows that make its key, then those that make its value: [H, plain, rank] and [H, value, rank].
    up = own['kv_b_proj.weight'].reshape(query.shape[1], -1, rank)
    key_up, value_up = up[:, :plain], up[:, plain:]
    absorbed = np.einsum('thp,hpr->thr', query[..., :plain], key_up)
    turned = rotate(config, query[..., plain:], positions)
    scores = np.einsum('thr,sr->hts', absorbed, latent) + np.einsum('thq,sq->hts', turned, key)
    scores *= score_scale(config) * query_scale(config, positions)[:, None]
    scores[:, positions[:, None] < positions] = -np.inf
    mixed = np.einsum('hts,sr->thr', softmax(scores), latent)
    return np.einsum('thr,hvr->thv', mixed, value_up).reshape(len(hidden), -1) @ own['o_proj.weight'].T


def queries(config, own, hidden):
    if config['q_lora_rank'] is None:
        return hidden @ own['q_proj.weight'].T
    return rms_norm(hidden @ own['q_a_proj.weight'].T, own['q_a_layernorm.weight'], LATENT_EPSILON) @ own['q_b_proj.weight'].T


def rotate(config, values, positions):
    """[T, H, rotary]: pairs (2i, 2i + 1), or (i, i + rotary / 2), turned by the position times the frequency of the pair."""
    angles, magnitude = positions[:, None] * frequencies(config), rotary_magnitude(config)
    cosine, sine = np.cos(angles)[:, None] * magnitude, np.sin(angles)[:, None] * magnitude
    half = values.shape[-1] // 2
    first, second = (values[..., 0::2], values[..., 1::2]) if config['rope_interleave'] else (values[..., :half], values[..., half:])
    # In which order they stand after is all one, as long as query and key agree.
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], -1)


def frequencies(config):
    """[rotary / 2]. YaRN leaves fast pairs as they are, divides those of slow ones by the factor, and goes from one to the other along a ramp."""
    rope, size = config['rope_parameters'], config['qk_rope_head_dim']
    plain = rope['rope_theta'] ** -(np.arange(0, size, 2) / size)
    if rope['rope_type'] != 'yarn':
        return plain

    def pair_that_turns(times):
        return size * math.log(rope['original_max_position_embeddings'] / (times * 2 * math.pi)) / (2 * math.log(rope['rope_theta']))

    low = max(math.floor(pair_that_turns(rope.get('beta_fast') or 32)), 0)
    high = min(math.ceil(pair_that_turns(rope.get('beta_slow') or 1)), size - 1)
    slow = np.clip((np.arange(size // 2) - low) / (high - low or 0.001), 0, 1)
    return plain * (1 - slow) + plain / rope['factor'] * slow


def stretched(factor, weight=1.0):
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0


def rotary_magnitude(config):
    """Multiplies cosine and sine, so it touches the rotated part of the scores only, by its square."""
    rope = config['rope_parameters']
    if rope['rope_type'] != 'yarn':
        return 1.0
    if rope.get('attention_factor') is not None:
        return rope['attention_factor']
    both = rope.get('mscale') and rope.get('mscale_all_dim')
    return stretched(rope['factor'], rope['mscale']) / stretched(rope['factor'], rope['mscale_all_dim']) if both else stretched(rope['factor'])


def score_scale(config):
    """Multiplies all of a score."""
    rope, size = config['rope_parameters'], config['qk_nope_head_dim'] + config['qk_rope_head_dim']
    weight = rope.get('mscale_all_dim') if rope['rope_type'] == 'yarn' else None
    return size ** -0.5 * (stretched(rope['factor'], weight) ** 2 if weight else 1.0)


def query_scale(config, positions):
    """[T]: grows with every original context that lies before the token. Mistral 4 only."""
    rope = config['rope_parameters']
    beta = rope.get('llama_4_scaling_beta') or 0.0
    return 1 + beta * np.log(1 + positions // rope['original_max_position_embeddings']) if beta else np.ones(len(positions))


# ---- feed forward ----

def gated(hidden, gate, up, down):
    opened = hidden @ gate.T
    return (opened / (1 + np.exp(-opened)) * (hidden @ up.T)) @ down.T


def dense(_config, own, hidden):
    return gated(hidden, own['gate_proj.weight'], own['up_proj.weight'], own['down_proj.weight'])


def routed(config, own, hidden):
    """Shared experts are one dense network that every token passes, of n_shared_experts times an expert's width, without a gate."""
    gates = route(config, hidden @ own['gate.weight'].T, own.get('gate.e_score_correction_bias'))
    result = dense(config, within(own, 'shared_experts.'), hidden)
    for expert, (gate_up, down) in enumerate(zip(own['experts.gate_up_proj'], own['experts.down_proj'])):
        gate, up = np.split(gate_up, 2)
        result = result + gates[:, expert, None] * gated(hidden, gate, up, down)
    return result


def route(config, router_logits, bias):
    """[T, E] logits -> [T, E] gates, zero for experts that are not chosen. Without a bias scores are a softmax, with one a sigmoid."""
    scores, rank, _ = choice(config, router_logits, bias)
    chosen = top(rank, config['num_experts_per_tok'])
    gates = np.where(chosen, scores, 0.0)
    if config['norm_topk_prob']:
        gates = gates / (gates.sum(-1, keepdims=True) + 1e-20)
    return gates * config['routed_scaling_factor']


def choice(config, router_logits, bias):
    """Scores [T, E]; what experts are chosen by [T, E]; and what groups are chosen by [T, groups]."""
    scores = softmax(router_logits) if bias is None else 1 / (1 + np.exp(-router_logits))
    groups = (scores if bias is None else scores + bias).reshape(len(scores), config['n_group'], -1)
    group_rank = np.sort(groups, -1)[..., -2:].sum(-1)
    rank = np.where(top(group_rank, config['topk_group'])[..., None], groups, LEFT_OUT)
    return scores, rank.reshape(scores.shape), group_rank


def top(rank, count):
    """Which are among the `count` greatest of their row, as booleans."""
    chosen = np.zeros(rank.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-rank, -1, kind='stable')[..., :count], True, -1)
    return chosen
