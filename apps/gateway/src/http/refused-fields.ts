import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@essaim/core';

/** Values that ask for nothing. */
const NOTHING: readonly unknown[] = [false, '', [], {}];

/**
 * Fields of OpenAI's, Mistral's and vLLM's APIs that change the answer and that this gateway does not have, each with its values that
 * change nothing. Clients send many more fields than they need, so all others are ignored; these, ignored, would give a wrong answer.
 */
const REFUSED_FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  add_generation_prompt: [true],
  audio: NOTHING,
  bad_words: NOTHING,
  chat_template: NOTHING,
  continue_final_message: NOTHING,
  documents: NOTHING,
  function_call: ['none', 'auto'],
  functions: NOTHING,
  include_stop_str_in_output: NOTHING,
  length_penalty: [1],
  modalities: [[], ['text']],
  prompt_embeds: NOTHING,
  safe_prompt: NOTHING,
  skip_special_tokens: [true],
  suffix: NOTHING,
  truncate_prompt_tokens: NOTHING,
  use_beam_search: NOTHING,
  web_search_options: [],
};

/** Fails with `invalid_argument` for a field that this gateway would have to ignore although it matters. */
export function refuseUnsupported(body: unknown): void {
  for (const [param, value] of Object.entries(body ?? {})) {
    const harmless = Object.hasOwn(REFUSED_FIELDS, param) ? REFUSED_FIELDS[param] : undefined;
    if (harmless === undefined || value === null || harmless.some((each) => isDeepStrictEqual(each, value))) continue;
    throw new AppError('invalid_argument', `${param} is not supported with this value: leave it out`, { param });
  }
}
