"""Makes the golden files of Mistral's own tokenizers. The oracle is mistral-common, for texts and for whole conversations.

Run by hand; the tests read only what it wrote:

    python3 -m venv oracle
    oracle/bin/pip install mistral-common==1.13.1 sentencepiece==0.2.3 tiktoken==0.14.0 protobuf==7.36.2
    oracle/bin/python test/golden/make_mistral_golden.py

The tokenizers are cut from those in mistral-common's own package (Apache-2.0): the tokens that the golden strings use, and all that they are
joined from. The oracle computes every id from the cut files. README.md beside this file describes the formats.
"""
import base64
import hashlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import mistral_common
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from sentencepiece import sentencepiece_model_pb2

from mistral_texts import CONVERSATIONS, LONG_STRINGS, STRINGS

GOLDEN = Path(__file__).resolve().parent
TOKENIZERS = GOLDEN / 'tokenizers'
PACKAGE = Path(mistral_common.__file__).parent / 'data'
VERSIONS = {name: version(name) for name in ('mistral-common', 'sentencepiece', 'tiktoken')}

TEKKEN_SOURCE = 'tekken_240911.json'
SENTENCE_PIECE_SOURCES = {
    'v1': 'tokenizer.model.v1', 'v2': 'mistral_instruct_tokenizer_240216.model.v2',
    'v3': 'mistral_instruct_tokenizer_240323.model.v3', 'v7': 'mistral_instruct_tokenizer_241114.model.v7',
}
SPECIAL_TOKENS = [
    '<unk>', '<s>', '</s>', '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[TOOL_CALLS]', '[IMG]', '<pad>', '[IMG_BREAK]', '[IMG_END]',
    '[PREFIX]', '[MIDDLE]', '[SUFFIX]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]', *(f'<SPECIAL_{i}>' for i in range(20, 32)),
    '[ARGS]', '[CALL_ID]', '[THINK]', '[/THINK]', '[MODEL_SETTINGS]', '[/MODEL_SETTINGS]',
]
SPECIAL_TOKEN_COUNT = 48
# Tokens at the end of the file that its model does not have.
UNUSED_TOKENS = 5
# What else the files of each version say. Real files before v11 do not name their special tokens.
TEKKEN_VARIANTS = {
    'v3': {'special_tokens': None}, 'v7': {'special_tokens': None}, 'v11': {}, 'v13': {},
    'v15': {'model_settings_builder': {'reasoning_effort': {'type': 'enum', 'accepts_none': True, 'default': 'none', 'values': ['none', 'high']}}},
}
ALL_STRINGS = [*STRINGS, *(unit * count for unit, count in LONG_STRINGS), *(json.dumps(each, ensure_ascii=False) for each in CONVERSATIONS.values())]


# ---- cutting ----

def joined_from(text, rank_of, limit):
    """The two parts of a token that are joined last, by what ranks before it; fewer or more where there is no such pair."""
    parts = list(text)
    if isinstance(text, bytes):
        parts = [bytes([byte]) for byte in text]
    while len(parts) > 2:
        ranks = [(rank_of(a + b), i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if rank_of(a + b) is not None and rank_of(a + b) < limit]
        if not ranks:
            break
        i = min(ranks)[1]
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return parts


def with_parts(used, rank_of):
    kept, open_ = set(), list(used)
    while open_:
        token = open_.pop()
        if token in kept or rank_of(token) is None:
            continue
        kept.add(token)
        if len(token) > 1:
            open_.extend(joined_from(token, rank_of, rank_of(token)))
    return kept


def cut_tekken():
    source = json.loads((PACKAGE / TEKKEN_SOURCE).read_text())
    tokenizer = MistralTokenizer.from_file(PACKAGE / TEKKEN_SOURCE).instruct_tokenizer.tokenizer
    ranks = {base64.b64decode(token['token_bytes']): token['rank'] for token in source['vocab']}
    used = {tokenizer.id_to_byte_piece(token) for text in ALL_STRINGS for token in tokenizer.encode(text, False, False)}
    kept = sorted({*with_parts(used, ranks.get), *(bytes([byte]) for byte in range(256))}, key=ranks.get)
    vocab = [{'rank': rank, 'token_bytes': base64.b64encode(token).decode(), 'token_str': None} for rank, token in enumerate(kept)]
    config = {'pattern': source['config']['pattern'], 'num_vocab_tokens': len(vocab), 'default_vocab_size': SPECIAL_TOKEN_COUNT + len(vocab) - UNUSED_TOKENS,
              'default_num_special_tokens': SPECIAL_TOKEN_COUNT, 'version': 'v13'}
    special = [{'rank': rank, 'token_str': text, 'is_control': True} for rank, text in enumerate(SPECIAL_TOKENS)]
    lines = ',\n'.join(json.dumps(token) for token in vocab)
    (TOKENIZERS / 'tekken.json').write_text(f'{{"config": {json.dumps(config)},\n"special_tokens": {json.dumps(special)},\n"vocab": [\n{lines}\n]}}\n')


def cut_sentence_piece(name, source):
    tokenizer = MistralTokenizer.from_file(PACKAGE / source).instruct_tokenizer.tokenizer
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((PACKAGE / source).read_bytes())
    normal = model.SentencePiece.Type.NORMAL
    ranks = {piece.piece: -piece.score for piece in model.pieces if piece.type == normal}
    used = {tokenizer.id_to_piece(token) for text in ALL_STRINGS for token in tokenizer.encode(text, False, False)}
    kept = with_parts(used, ranks.get)
    pieces = [piece for piece in model.pieces if piece.type != normal or piece.piece in kept]
    # Of the hundreds of tokens without a use a few are enough.
    pieces = [piece for piece in pieces if not piece.piece.startswith('[control_') or int(piece.piece[9:-1]) < 30]
    del model.pieces[:]
    model.pieces.extend(pieces)
    model.trainer_spec.vocab_size = len(pieces)
    model.trainer_spec.ClearField('input')
    (TOKENIZERS / f'tokenizer.model.{name}').write_bytes(model.SerializeToString())


# ---- asking the oracle ----

def open_tekken(name):
    content = {**json.loads((TOKENIZERS / 'tekken.json').read_text()), **TEKKEN_VARIANTS[name]}
    content['config']['version'] = name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'tekken.json'
        path.write_text(json.dumps(content))
        return MistralTokenizer.from_file(path, mode=ValidationMode.serving)


def encodings(tokenizer):
    texts = []
    for text in STRINGS:
        ids = tokenizer.encode(text, False, False)
        texts.append({'text': text, 'ids': ids, 'decoded': tokenizer.decode(ids)})
    long = []
    for unit, count in LONG_STRINGS:
        ids = tokenizer.encode(unit * count, False, False)
        long.append({'unit': unit, 'count': count, 'idCount': len(ids), 'sha256': hashlib.sha256(','.join(map(str, ids)).encode()).hexdigest()})
    return {'texts': texts, 'long': long}


def prompts(tokenizer):
    """The ids of each conversation; null where the oracle refuses it."""
    ids = {}
    for name, conversation in CONVERSATIONS.items():
        try:
            ids[name] = tokenizer.encode_chat_completion(ChatCompletionRequest(model='m', **conversation)).tokens
        except (MistralCommonException, ValueError) as error:
            print('   refused:', name, '-', str(error).splitlines()[0])
            ids[name] = None
    return ids


def write_vector(name, fields):
    lines = [f'  {json.dumps(key)}: {json.dumps(value)}' for key, value in {'madeWith': VERSIONS, **fields}.items()]
    (GOLDEN / 'vectors' / f'{name}.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    TOKENIZERS.mkdir(exist_ok=True)
    cut_tekken()
    for name, source in SENTENCE_PIECE_SOURCES.items():
        cut_sentence_piece(name, source)
    tekken = {name: open_tekken(name) for name in TEKKEN_VARIANTS}
    sentence_piece = {name: MistralTokenizer.from_file(TOKENIZERS / f'tokenizer.model.{name}', mode=ValidationMode.serving) for name in SENTENCE_PIECE_SOURCES}
    files = {path.name: sha256(path) for path in sorted(TOKENIZERS.iterdir())}
    write_vector('mistral-texts', {'files': files, 'tekken.json': encodings(tekken['v13'].instruct_tokenizer.tokenizer),
                                   **{f'tokenizer.model.{name}': encodings(sentence_piece[name].instruct_tokenizer.tokenizer) for name in ('v1', 'v7')}})
    answers = {}
    for kind, tokenizers in (('tekken', tekken), ('spm', sentence_piece)):
        for name, tokenizer in tokenizers.items():
            print(kind, name)
            answers[f'{kind} {name}'] = prompts(tokenizer)
    write_vector('mistral-conversations', {'files': files, 'tekkenVariants': TEKKEN_VARIANTS, 'conversations': CONVERSATIONS, 'prompts': answers})
    print(len(STRINGS), 'strings,', len(CONVERSATIONS), 'conversations')


main()
