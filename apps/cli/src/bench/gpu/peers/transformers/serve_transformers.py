"""Answers prompts with Hugging Face transformers, as its users call it: `generate` on one batch, in float16, with what it chooses by itself
for cache, attention and experts. Reads requests from stdin, one JSON a line, and writes a reply of one line for each to stdout:

    {"kind": "describe"}                                      {"kind": "described", "torch": ..., "transformers": ..., "device": ..., "dtype": ..., "attention": ..., "experts": ...}
    {"kind": "generate", "prompts": [[ids]], "newTokens": n}  {"kind": "generated", "askedMs": ms, "tokenMs": [[ms of each token]]}
    {"kind": "predict", "prompt": [ids], "tokens": n}         {"kind": "predicted", "prediction": [{"id": ..., "logprob": ...}]}

or {"kind": "failed", "message": ...}. The argument is JSON: the checkpoint's folder, the card's PCI bus id or null, and whether the processor
is to compute, in float32. Times are milliseconds of one clock. Needs torch and transformers, is better off with accelerate, and asks nobody on the network.
"""
import json
import os
import sys
import time
from importlib.util import find_spec

os.environ.update(HF_HUB_OFFLINE='1', TOKENIZERS_PARALLELISM='false')

# Any token: masked where it fills, and never told from others in an answer.
PAD = 0


class Refusal(Exception):
    """What can't be done, in one sentence."""


def now_ms():
    return time.perf_counter() * 1000


def may_be_at(properties, pci_bus_id):
    """Whether nothing speaks against it: drivers of the measured card may not tell its bus id, nor an older torch that of its own."""
    if pci_bus_id is None or not hasattr(properties, 'pci_bus_id'):
        return True
    return pci_bus_id.startswith(f'{properties.pci_domain_id:04x}:{properties.pci_bus_id:02x}:{properties.pci_device_id:02x}.')


def choose_card(torch, pci_bus_id):
    """The card that is measured, where torch has one that alone can be it. CUDA's name stands for ROCm's cards, too."""
    if torch.cuda.is_available():
        cards = [torch.device('cuda', index) for index in range(torch.cuda.device_count())]
        at = [card for card in cards if may_be_at(torch.cuda.get_device_properties(card), pci_bus_id)]
        if len(at) == 1:
            return at[0]
        raise Refusal(f'of {len(cards)} cards that torch sees {len(at)} may be the one that is measured, whose bus id is {pci_bus_id or "not known"}')
    if torch.xpu.is_available() and torch.xpu.device_count() == 1:
        return torch.device('xpu', 0)
    if torch.backends.mps.is_available():
        return torch.device('mps')
    raise Refusal(f'torch {torch.__version__} of {sys.executable} sees no card: install the build of torch for it, or name another Python with --python')


def config_of(transformers, folder):
    """The checkpoint's. JavaScript, which wrote that of the synthetic ones, has no 0.0, and transformers takes no 0 for it."""
    with open(os.path.join(folder, 'config.json'), encoding='utf-8') as file:
        fields = json.load(file)
    if 'router_jitter_noise' in fields:
        fields['router_jitter_noise'] = float(fields['router_jitter_noise'])
    return transformers.AutoConfig.for_model(**fields)


def check_room(torch, card, config, model_class):
    """Before minutes of loading, not after them."""
    if card.type not in ('cuda', 'xpu'):
        return
    with torch.device('meta'):
        parameters = sum(each.numel() for each in model_class.from_config(config).parameters())
    needed = parameters * torch.float16.itemsize
    free, _ = getattr(torch, card.type).mem_get_info(card)
    if needed > free:
        raise Refusal(f'the weights take {needed / 1e9:.1f} GB in float16 and the card has {free / 1e9:.1f} GB free')


class Clock:
    """A streamer of `generate`: notes when the next token of the whole batch is on the host, which is when the card has computed it."""

    def __init__(self):
        self.token_ms = []
        self.has_prompt = False

    def put(self, ids):
        if self.has_prompt:
            self.token_ms.append(now_ms())
        self.has_prompt = True

    def end(self):
        pass


class Host:
    """A loaded model."""

    def __init__(self, folder, pci_bus_id, on_processor):
        try:
            import torch
            import transformers
        except ImportError as error:
            raise Refusal(f'{sys.executable} has no {error.name}: install it with {sys.executable} -m pip install torch transformers accelerate, or name another Python with --python') from error
        self.torch, self.versions = torch, {'torch': torch.__version__, 'transformers': transformers.__version__}
        self.device = torch.device('cpu') if on_processor else choose_card(torch, pci_bus_id)
        self.dtype = torch.float32 if on_processor else torch.float16
        config = config_of(transformers, folder)
        check_room(torch, self.device, config, transformers.AutoModelForCausalLM)
        # With accelerate weights go to the card as they are read; else the host holds all of them for a moment.
        where = {'device_map': {'': self.device}} if find_spec('accelerate') else {}
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=self.dtype, **where).to(self.device).eval()
        # Without an end token an answer goes on until it is as long as it was asked to be.
        self.model.generation_config = transformers.GenerationConfig(pad_token_id=PAD)

    def describe(self):
        device = str(self.device) if self.device.type != 'cuda' else self.torch.cuda.get_device_name(self.device)
        settings = {'attention': self.model.config._attn_implementation, 'experts': getattr(self.model.config, '_experts_implementation', None)}
        return {'kind': 'described', **self.versions, **settings, 'device': device, 'dtype': str(self.dtype).removeprefix('torch.')}

    def generate(self, prompts, new_tokens):
        streamer = Clock()
        asked_ms = now_ms()
        width = max(map(len, prompts))
        ids = self.torch.tensor([[PAD] * (width - len(each)) + each for each in prompts], device=self.device)
        mask = self.torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in prompts], device=self.device)
        self.model.generate(ids, attention_mask=mask, max_new_tokens=new_tokens, do_sample=False, streamer=streamer)
        if len(streamer.token_ms) != new_tokens:
            raise Refusal(f'an answer of {new_tokens} tokens has {len(streamer.token_ms)}')
        return {'kind': 'generated', 'askedMs': asked_ms, 'tokenMs': [streamer.token_ms] * len(prompts)}

    def predict(self, prompt, tokens):
        with self.torch.inference_mode():
            logits = self.model(self.torch.tensor([prompt], device=self.device)).logits[0, -1].float()
            likeliest = self.torch.log_softmax(logits, dim=-1).topk(tokens)
        return {'kind': 'predicted', 'prediction': [{'id': id, 'logprob': logprob} for id, logprob in zip(likeliest.indices.tolist(), likeliest.values.tolist())]}

    def answer(self, request):
        if request['kind'] == 'describe':
            return self.describe()
        if request['kind'] == 'generate':
            return self.generate(request['prompts'], request['newTokens'])
        return self.predict(request['prompt'], request['tokens'])


def failure(error):
    message = str(error) if isinstance(error, Refusal) else f'{type(error).__name__}: {error}'
    return {'kind': 'failed', 'message': ' '.join(message.split())}


def main():
    # Whatever libraries print must not come between replies.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    host, refusal = None, None
    try:
        loading = json.loads(sys.argv[1])
        host = Host(loading['folder'], loading['pciBusId'], loading['onProcessor'])
    except Exception as error:
        refusal = failure(error)
    for line in sys.stdin:
        try:
            reply = refusal or host.answer(json.loads(line))
        except Exception as error:
            reply = failure(error)
        replies.write(json.dumps(reply) + '\n')
        replies.flush()


if __name__ == '__main__':
    main()
