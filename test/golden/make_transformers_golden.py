"""Makes the golden files of the same tokenizers in Hugging Face's form. The oracle is transformers: its conversion, its encoding, its rendering of chat templates.

Run by hand after make_mistral_golden.py, in the same environment with two packages more; the tests read only what it wrote:

    oracle/bin/pip install transformers==5.24.0 tokenizers==0.23.3 jinja2==3.1.6
    oracle/bin/python test/golden/make_transformers_golden.py
"""
import json
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from jinja2 import TemplateError
from mistral_common.integrations.chat_templates.chat_templates import generate_chat_template
from mistral_common.tokens.tokenizers.base import TokenizerVersion
from transformers import LlamaTokenizer
from transformers.integrations.mistral.tokenizer import convert_tekken_tokenizer

from mistral_texts import CONVERSATIONS, STRINGS

GOLDEN = Path(__file__).resolve().parent
TOKENIZERS = GOLDEN / 'tokenizers'
VERSIONS = {name: version(name) for name in ('transformers', 'tokenizers', 'mistral-common', 'jinja2')}
KEPT = ('tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja')


def open_tekken():
    return convert_tekken_tokenizer(str(TOKENIZERS / 'tekken.json'))


def open_sentence_piece():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(TOKENIZERS / 'tokenizer.model.v3', Path(folder) / 'tokenizer.model')
        # As the published models of this version: a space before the text alone, none after each special token.
        tokenizer = LlamaTokenizer.from_pretrained(folder, legacy=False)
    tokenizer.chat_template = generate_chat_template(
        spm=True, tokenizer_version=TokenizerVersion.v3, image_support=False, audio_support=False, thinking_support=False, default_system_prompt=None, plain_thinking_support=False,
        use_special_token_variables=True, model_settings_fields=None, reasoning_effort_values=None, reasoning_effort_default=None)
    return tokenizer


def with_objects(conversation):
    """Arguments of calls as objects, which is what templates are given."""
    def parsed(text):
        try:
            return json.loads(text or '{}')
        except json.JSONDecodeError:
            return text
    messages = json.loads(json.dumps(conversation['messages']))
    for message in messages:
        for call in message.get('tool_calls', []):
            call['function']['arguments'] = parsed(call['function']['arguments'])
    return messages


def prompts(tokenizer):
    """The ids of each conversation; null where the template refuses it."""
    ids = {}
    for name, conversation in CONVERSATIONS.items():
        if conversation['messages'][-1].get('prefix'):
            continue
        try:
            effort = {key: conversation[key] for key in ('reasoning_effort',) if key in conversation}
            text = tokenizer.apply_chat_template(with_objects(conversation), tools=conversation.get('tools'), tokenize=False, add_generation_prompt=True, **effort)
            ids[name] = tokenizer(text, add_special_tokens=False)['input_ids']
        except TemplateError as error:
            print('   refused:', name, '-', error)
            ids[name] = None
    return ids


def main():
    vectors = {}
    for name, tokenizer in (('tekken', open_tekken()), ('sentence-piece', open_sentence_piece())):
        print(name)
        folder = TOKENIZERS / f'hugging-face-{name}'
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as saved:
            tokenizer.save_pretrained(saved)
            for file in KEPT:
                shutil.copy(Path(saved) / file, folder / file)
        content = json.loads((folder / 'tokenizer.json').read_text())
        (folder / 'tokenizer.json').write_text(json.dumps(content, ensure_ascii=False, separators=(',', ':')) + '\n')
        texts = [{'text': text, 'ids': tokenizer(text)['input_ids']} for text in STRINGS]
        texts = [{**each, 'decoded': tokenizer.decode(each['ids'], skip_special_tokens=False) if each['ids'] else ''} for each in texts]
        vectors[folder.name] = {'texts': texts, 'prompts': prompts(tokenizer)}
    lines = [f'  {json.dumps(key)}: {json.dumps(value)}' for key, value in {'madeWith': VERSIONS, **vectors}.items()]
    (GOLDEN / 'vectors' / 'transformers-texts.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


main()
