import { createContext, Script } from 'node:vm';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { AppError } from '@essaim/core';
import { type ChatTemplate, joinContents } from '../chat-template.ts';
import { type Conversation } from '../conversation.ts';
import { callGrammar, type CallGrammarOptions } from '../mistral/call-grammar.ts';
import { CallReader } from '../mistral/call-reader.ts';
import { textSplitter } from '../text-splitter.ts';
import { type PromptPiece, type SpecialToken, type Tokenizer } from '../tokenizer.ts';
import { LookAlikes, unusedMark } from './look-alikes.ts';
import { templateVariables } from './template-variables.ts';

export interface ChatTemplateOptions {
  /** Text of chat_template.jinja, where the checkpoint has one: it wins. */
  readonly templateFile: string | null;
  /** tokenizer_config.json, where its `chat_template` is a text or a list of named ones. */
  readonly tokenizerConfig: object | null;
  readonly tokenizer: Tokenizer;
}

/** Of the template's source, in UTF-16 units: the largest known ones have 30 thousand. */
const TEMPLATE_CHARS = 1 << 19;
/** Of a prompt: more than a request body can hold, with room for what a template repeats. */
const RENDERED_CHARS = 1 << 22;
const RENDER_MS = 1_000;

const named = z.array(z.looseObject({ name: z.string(), template: z.string() }));
const configSchema = z.looseObject({ chat_template: z.union([z.string(), named]).nullish().catch(null) });

/** The checkpoint's own template, or `joinContents`. Fails with `failed_precondition` when the template is none. */
export function createChatTemplate({ templateFile, tokenizerConfig, tokenizer }: ChatTemplateOptions): ChatTemplate {
  const source = templateFile ?? defaultTemplate(tokenizerConfig);
  if (source === null) return joinContents(tokenizer);
  const template = compile(source);
  const tokens = new Map(tokenizer.specialTokens.map((token) => [token.text, token]));
  const names = { bos_token: tokenizer.bosToken?.text ?? '', eos_token: tokenizer.eosToken?.text ?? '' };
  const lookAlikes = new LookAlikes([...tokens.keys()]);
  return {
    // Mistral's models write calls in the same way whatever form their files have.
    readAnswer: tokens.has('[TOOL_CALLS]') ? (options) => new CallReader(tokenizer, options) : null,
    onlyCalls: tokens.has('[TOOL_CALLS]') ? (tools, { most }) => callGrammar({ form: callForm(source, tokens), token: (name) => tokens.get(name)!, tools, most }) : null,
    render: (conversation) => {
      requireEnd(conversation);
      const mark = markFor(conversation);
      const variables = templateVariables(conversation, (text) => lookAlikes.break(text, mark));
      return toPieces(bounded(() => template.render({ ...variables, ...names })), { tokens, mark });
    },
  };
}

/** As the template writes the calls of former answers. */
function callForm(source: string, tokens: ReadonlyMap<string, SpecialToken>): CallGrammarOptions['form'] {
  const writes = (name: string): boolean => tokens.has(name) && source.includes(name);
  if (writes('[ARGS]')) return writes('[CALL_ID]') ? 'tokens with ids' : 'tokens';
  return /["']id["']/.test(source) ? 'list with ids' : 'list';
}

function requireEnd({ messages }: Conversation): void {
  const last = messages.at(-1);
  if (last?.role === 'assistant' && last.continued === true) throw new AppError('invalid_argument', "this model can't go on with an answer that is begun: end with a message of the user or a tool", { param: 'messages' });
}

function markFor(conversation: Conversation): string {
  const texts: string[] = [];
  templateVariables(conversation, (text) => {
    texts.push(text);
    return text;
  });
  const mark = unusedMark(texts);
  if (mark === null) throw new AppError('invalid_argument', 'the messages hold all code points from U+FDD0 to U+FDEF, which are no characters: leave them out', { param: 'messages' });
  return mark;
}

/** What looks like a special token now was written by the template. */
const toPieces = (text: string, { tokens, mark }: { readonly tokens: ReadonlyMap<string, SpecialToken>; readonly mark: string }): PromptPiece[] =>
  textSplitter([...tokens.keys()])(text).map((part) => tokens.get(part) ?? part.replaceAll(mark, ''));

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
