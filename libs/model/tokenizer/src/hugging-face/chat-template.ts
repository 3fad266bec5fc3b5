import { createContext, Script } from 'node:vm';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { AppError } from '@essaim/core';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

/** Turns a conversation into the prompt of its next answer. */
export interface ChatTemplate {
  /** False where the template itself writes the tokens that begin a text. */
  readonly addSpecialTokens: boolean;
  /** Fails with `invalid_argument` when the template refuses the messages, with its own sentence, or takes too long over them. */
  render(messages: readonly ChatMessage[]): string;
}

export interface ChatTemplateOptions {
  /** Text of chat_template.jinja, where the checkpoint has one: it wins. */
  readonly templateFile: string | null;
  /** tokenizer_config.json, where its `chat_template` is a text or a list of named ones. */
  readonly tokenizerConfig: object | null;
  readonly bosToken: string | null;
  readonly eosToken: string | null;
}

/** Of the template's source, in UTF-16 units: the largest known ones have 30 thousand. */
const TEMPLATE_CHARS = 1 << 19;
/** Of a prompt: more than a request body can hold, with room for what a template repeats. */
const RENDERED_CHARS = 1 << 22;
const RENDER_MS = 1_000;

const named = z.array(z.looseObject({ name: z.string(), template: z.string() }));
const configSchema = z.looseObject({ chat_template: z.union([z.string(), named]).nullish().catch(null) });

/** The checkpoint's own template, or `joinContents`. Fails with `failed_precondition` when the template is none. */
export function createChatTemplate({ templateFile, tokenizerConfig, bosToken, eosToken }: ChatTemplateOptions): ChatTemplate {
  const source = templateFile ?? defaultTemplate(tokenizerConfig);
  if (source === null) return joinContents;
  const template = compile(source);
  const render = (messages: readonly ChatMessage[]): string =>
    template.render({ messages, add_generation_prompt: true, bos_token: bosToken ?? '', eos_token: eosToken ?? '' });
  return { addSpecialTokens: false, render: (messages) => bounded(() => render(messages)) };
}

/**
 * For a base model, which knows no roles: the contents joined by blank lines, and nothing else. Role words would be continued as
 * dialogue of a play; so a conversation is a text whose end the model continues.
 */
export const joinContents: ChatTemplate = {
  addSpecialTokens: true,
  render: (messages) => messages.map(({ content }) => content).join('\n\n'),
};

function defaultTemplate(tokenizerConfig: object | null): string | null {
  const { chat_template: template } = configSchema.parse(tokenizerConfig ?? {});
  if (typeof template === 'string' || template == null) return template ?? null;
  return (template.find(({ name }) => name === 'default') ?? template[0])?.template ?? null;
}

function compile(source: string): Template {
  if (source.length > TEMPLATE_CHARS) throw new AppError('failed_precondition', `the model's chat template has more than ${TEMPLATE_CHARS} characters: use a shorter one`);
  try {
    return new Template(source);
  } catch (cause) {
    throw new AppError('failed_precondition', "the model's chat template is not a Jinja template that this version reads: correct it, or remove it", { cause });
  }
}

const runner = new Script('render()');
const sandbox: { render?: () => string } = createContext({});

/** Templates are programs of the checkpoint that run over a client's messages: a loop without end must not stop every other request. */
function bounded(render: () => string): string {
  let text: unknown;
  try {
    sandbox.render = render;
    text = runner.runInContext(sandbox, { timeout: RENDER_MS });
  } catch (thrown) {
    throw refusal(thrown);
  }
  if (typeof text !== 'string' || text.length > RENDERED_CHARS) throw new AppError('invalid_argument', `the messages make a prompt of more than ${RENDERED_CHARS} characters: send fewer`, { param: 'messages' });
  return text;
}

function refusal(thrown: unknown): AppError {
  // The error of a stopped script belongs to the other context, whose Error is not ours.
  const { code, message } = thrown as { readonly code?: string; readonly message?: string };
  const reason = code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? `it took longer than ${RENDER_MS} ms: send fewer` : message;
  return new AppError('invalid_argument', `the model's chat template refuses these messages: ${reason}`, { cause: thrown, param: 'messages' });
}
