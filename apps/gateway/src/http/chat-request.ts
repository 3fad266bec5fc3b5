import { z } from 'zod';
import { LIMITS, type RequestId } from '@essaim/core';
import { generationFields, parseFields } from '../generation/fields.ts';
import { encodePrompt, toPrompt } from '../generation/prompts.ts';
import { type GenerationRequest } from '../generation/request.ts';
import { requireModel, type RequestContext, toGenerationRequest } from '../generation/to-request.ts';
import { refuseUnsupported } from './refused-fields.ts';
import { streamFields, type StreamOptions, toStreamOptions } from './stream-options.ts';

/** Messages of one conversation: a template's time grows with them. */
const MESSAGES = 2_048;

const textParts = z.array(z.object({ type: z.literal('text'), text: z.string() })).transform((parts) => parts.map(({ text }) => text).join(''));
/** OpenAI's newer name for the system; templates know the older one. */
const role = z.enum(['system', 'developer', 'user', 'assistant', 'tool']).transform((name) => (name === 'developer' ? 'system' : name));
const message = z.object({
  role,
  content: z.union([z.string(), textParts]),
  tool_calls: z.array(z.never()).nullish(),
});

const chatSchema = z.object({
  ...generationFields,
  ...streamFields,
  model: z.string().describe('the id of a model, see /v1/models'),
  messages: z.array(message).min(1).max(MESSAGES).describe(`a list of 1 to ${MESSAGES} messages, each with a role (system, developer, user, assistant or tool) and a content of text`),
  max_completion_tokens: generationFields.max_tokens,
  random_seed: generationFields.seed,
  n: z.int().min(1).max(LIMITS.sequencesPerRequest).nullish().describe(`a whole number from 1 to ${LIMITS.sequencesPerRequest}`),
  logprobs: z.boolean().nullish().describe('true or false'),
  top_logprobs: z.int().min(0).max(LIMITS.topLogprobs).nullish().describe(`a whole number from 0 to ${LIMITS.topLogprobs}`),
});

/** The next message of a conversation as asked for over HTTP. */
export interface ChatRequest {
  readonly generation: GenerationRequest;
  readonly stream: StreamOptions | null;
  readonly returnTokenIds: boolean;
}

/** Fails with `invalid_argument` or `not_found` and a sentence that names the field. */
export function parseChatRequest(raw: unknown, requestId: RequestId, context: RequestContext): ChatRequest {
  const body = parseFields(chatSchema, raw);
  refuseUnsupported(raw);
  requireModel(body.model, context.model);
  const { chatTemplate, spec } = context.model;
  const text = chatTemplate.render(body.messages);
  const ids = encodePrompt(text, context.model, { addSpecialTokens: chatTemplate.addSpecialTokens, param: 'messages' });
  const asked = body.max_completion_tokens ?? body.max_tokens ?? null;
  const prompt = toPrompt(ids, { asked, fallback: spec.contextLength, param: 'messages' }, context.model);
  const logprobs = body.logprobs ? (body.top_logprobs ?? 0) : null;
  const fields = { ...body, seed: body.seed ?? body.random_seed };
  const generation = toGenerationRequest(fields, { requestId, prompts: [prompt], answersPerPrompt: body.n ?? 1, logprobs, promptLogprobs: null }, context);
  return { generation, stream: toStreamOptions(body), returnTokenIds: body.return_token_ids ?? false };
}
