import { describe, expect, it } from 'vitest';
import { type ChatMessage, createChatTemplate, joinContents } from '../index.ts';

const MESSAGES: readonly ChatMessage[] = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }];
const NAMES = { bosToken: '<s>', eosToken: '</s>' };
const withFile = (templateFile: string): ReturnType<typeof createChatTemplate> => createChatTemplate({ ...NAMES, templateFile, tokenizerConfig: null });
const withConfig = (template: unknown): ReturnType<typeof createChatTemplate> => createChatTemplate({ ...NAMES, templateFile: null, tokenizerConfig: { chat_template: template } });
const refusal = (sentence: string): unknown => expect.objectContaining({ code: 'invalid_argument', param: 'messages', message: expect.stringContaining(sentence) as string });

describe('a chat template', () => {
  it('writes roles and special tokens as the model learnt them', () => {
    const template = withFile('{{ bos_token }}{% for message in messages %}[{{ message.role | upper }}]{{ message.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[ASSISTANT]{% endif %}');
    expect(template.render(MESSAGES)).toBe('<s>[SYSTEM]Be brief.</s>[USER]Hello</s>[ASSISTANT]');
    expect(template.addSpecialTokens).toBe(false);
  });

  it.each([
    ['a text', 'T{{ messages | length }}'],
    ['a list with a default', [{ name: 'tool_use', template: 'no' }, { name: 'default', template: 'T{{ messages | length }}' }]],
  ])('is read from %s in tokenizer_config.json', (_, template) => {
    expect(withConfig(template).render(MESSAGES)).toBe('T2');
  });

  it('in a file of its own wins over the one in tokenizer_config.json', () => {
    expect(createChatTemplate({ ...NAMES, templateFile: 'file', tokenizerConfig: { chat_template: 'config' } }).render([])).toBe('file');
  });

  it('may refuse the messages in its own words', () => {
    expect(() => withFile("{{ raise_exception('roles must alternate') }}").render(MESSAGES)).toThrow(refusal('roles must alternate'));
  });

  it('is stopped when it runs without end', () => {
    const endless = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}';
    expect(() => withFile(endless).render(MESSAGES)).toThrow(refusal('longer than'));
  });

  it('may not blow a prompt up without bound', () => {
    expect(() => withFile(`{% for a in range(50000) %}${'x'.repeat(100)}{% endfor %}`).render(MESSAGES)).toThrow(refusal('characters'));
  });

  it('that is no template is refused when it is read, not when the first request comes', () => {
    expect(() => withFile('{% if %}')).toThrow(expect.objectContaining({ code: 'failed_precondition' }));
  });
});

describe('a base model without a template', () => {
  it('continues the contents, which no role words interrupt', () => {
    expect(withConfig(null)).toBe(joinContents);
    expect(joinContents.render(MESSAGES)).toBe('Be brief.\n\nHello');
  });
});
