import { z } from 'zod';
import { AppError, LIMITS, type RequestId } from '@essaim/core';
import { constraintFields, toConstraint } from '../generation/constraint.ts';
import { generationFields, isTokenId, parseFields } from '../generation/fields.ts';
import { encodePrompt, toPrompt } from '../generation/prompts.ts';
import { type GenerationRequest } from '../generation/request.ts';
import { requireModel, type RequestContext, toGenerationRequest } from '../generation/to-request.ts';
import { refuseUnsupported } from './refused-fields.ts';
import { streamFields, type StreamOptions, toStreamOptions } from './stream-options.ts';

/** OpenAI's default. */
const MAX_TOKENS = 16;

type GivenPrompt = string | readonly number[];

const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every(isTokenId);
const isPrompt = (value: unknown): value is GivenPrompt => typeof value === 'string' || isIds(value);
const isPrompts = (value: unknown): value is GivenPrompt | readonly GivenPrompt[] => isPrompt(value) || (Array.isArray(value) && value.every(isPrompt));

const completionSchema = z.object({
  ...generationFields,
  ...constraintFields,
  ...streamFields,
  max_tokens: z.int().min(0).nullish().describe('a whole number from 0'),
  model: z.string().describe('the id of a model, see /v1/models'),
  prompt: z.custom<GivenPrompt | readonly GivenPrompt[]>(isPrompts).describe('a string, a list of token ids, or a list of either'),
  n: z.int().min(1).max(LIMITS.sequencesPerRequest).nullish().describe(`a whole number from 1 to ${LIMITS.sequencesPerRequest}`),
  best_of: z.int().nullish().describe('the same as n'),
  echo: z.boolean().nullish().describe('true or false'),
  logprobs: z.int().min(0).max(LIMITS.topLogprobs).nullish().describe(`a whole number from 0 to ${LIMITS.topLogprobs}`),
});

/** A text completion as asked for over HTTP. */
export interface CompletionRequest {
  readonly generation: GenerationRequest;
  readonly stream: StreamOptions | null;
  /** The text of each prompt, to stand before its answers; null where it is not asked for. */
  readonly echo: readonly string[] | null;
  readonly returnTokenIds: boolean;
}

/** Fails with `invalid_argument` or `not_found` and a sentence that names the field. */
export function parseCompletionRequest(raw: unknown, requestId: RequestId, context: RequestContext): CompletionRequest {
  const body = parseFields(completionSchema, raw);
  refuseUnsupported(raw);
  requireModel(body.model, context.model);
  const n = body.n ?? 1;
  if ((body.best_of ?? n) !== n) throw new AppError('invalid_argument', `best_of is ${body.best_of} and n is ${n}: leave best_of out`, { param: 'best_of' });
  if (body.max_tokens === 0 && !body.echo) throw new AppError('invalid_argument', 'max_tokens is 0 and echo is off, which leaves nothing to answer: set echo to score the prompt, or raise max_tokens', { param: 'max_tokens' });
  const given = toList(body.prompt, n);
  const budget = { asked: body.max_tokens ?? null, fallback: MAX_TOKENS, param: 'prompt' };
  const encode = (prompt: GivenPrompt): readonly number[] => (typeof prompt === 'string' ? encodePrompt(prompt, context.model, { addSpecialTokens: true, param: 'prompt' }) : prompt);
  const prompts = given.map((prompt) => toPrompt(encode(prompt), budget, context.model));
  const echo = body.echo ? given.map((prompt) => (typeof prompt === 'string' ? prompt : context.model.tokenizer.decode(prompt))) : null;
  const logprobs = body.logprobs ?? null;
  const generation = toGenerationRequest(body, { requestId, prompts, answersPerPrompt: n, logprobs, promptLogprobs: echo === null ? null : logprobs, ...toConstraint(body) }, context);
  return { generation, echo, stream: toStreamOptions(body), returnTokenIds: body.return_token_ids ?? false };
}

/** Counted before anything is tokenized. */
function toList(prompt: GivenPrompt | readonly GivenPrompt[], n: number): readonly GivenPrompt[] {
  const list = isPrompt(prompt) && (typeof prompt === 'string' || prompt.length > 0) ? [prompt] : (prompt as readonly GivenPrompt[]);
  if (list.length === 0) throw new AppError('invalid_argument', 'prompt is an empty list: give at least one prompt', { param: 'prompt' });
  if (list.length * n > LIMITS.sequencesPerRequest) throw new AppError('invalid_argument', `${list.length} prompts times n = ${n} are more than the ${LIMITS.sequencesPerRequest} answers of one request: split it`, { param: 'prompt' });
  return list;
}
