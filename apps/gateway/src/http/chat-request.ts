import { z } from 'zod';
import { LIMITS, type RequestId } from '@essaim/core';
import { constraintFields, toConstraint } from '../generation/constraint.ts';
import { generationFields, parseFields } from '../generation/fields.ts';
import { encodePieces, toPrompt } from '../generation/prompts.ts';
import { type GenerationRequest } from '../generation/request.ts';
import { requireModel, type RequestContext, toGenerationRequest } from '../generation/to-request.ts';
import { chatMessage, MESSAGES, refuseParts } from './chat-message.ts';
import { constrainCalls, openReader, toolFields, toTools } from './chat-tools.ts';
import { refuseUnsupported } from './refused-fields.ts';
import { streamFields, type StreamOptions, toStreamOptions } from './stream-options.ts';

const chatSchema = z.object({
  ...generationFields,
  ...constraintFields,
  ...streamFields,
  ...toolFields,
  model: z.string().describe('the id of a model, see /v1/models'),
  messages: z.array(chatMessage).min(1).max(MESSAGES).describe(`a list of 1 to ${MESSAGES} messages, each with a role (system, developer, user, assistant or tool) and a content of text; a tool's has the tool_call_id that it answers`),
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
  refuseParts(raw);
  const body = parseFields(chatSchema, raw);
  refuseUnsupported(raw);
  requireModel(body.model, context.model);
  const { chatTemplate, spec } = context.model;
  const tools = toTools(body);
  const reader = tools.length === 0 ? {} : { openReader: openReader(chatTemplate, body) };
  const pieces = chatTemplate.render({ messages: body.messages, tools, reasoningEffort: body.reasoning_effort ?? null });
  const constraint = constrainCalls(body, chatTemplate, toConstraint(body));
  const ids = encodePieces(pieces, context.model, { param: 'messages' });
  const asked = body.max_completion_tokens ?? body.max_tokens ?? null;
  const prompt = toPrompt(ids, { asked, fallback: spec.contextLength, param: 'messages' }, context.model);
  const logprobs = body.logprobs ? (body.top_logprobs ?? 0) : null;
  const fields = { ...body, seed: body.seed ?? body.random_seed };
  const generation = toGenerationRequest(fields, { requestId, prompts: [prompt], answersPerPrompt: body.n ?? 1, logprobs, promptLogprobs: null, ...reader, ...constraint }, context);
  return { generation, stream: toStreamOptions(body), returnTokenIds: body.return_token_ids ?? false };
}
