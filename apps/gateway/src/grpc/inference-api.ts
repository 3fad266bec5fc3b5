import { z } from 'zod';
import { AppError, LIMITS, requestId, type RequestId } from '@essaim/core';
import { type InferenceApi, type InferenceEvent, type InferenceRequest } from '@essaim/rpc';
import { checkConstraint } from '../generation/constraint.ts';
import { generationFields, parseFields } from '../generation/fields.ts';
import { type ChoiceEvent, type Generation } from '../generation/generation.ts';
import { encodePrompt, toPrompt } from '../generation/prompts.ts';
import { type GenerationRequest, promptTokenCount } from '../generation/request.ts';
import { requireModel, type RequestContext, toGenerationRequest } from '../generation/to-request.ts';
import { requestIdOf } from '../request-id.ts';
import { type Metrics } from '../metrics.ts';

/** More than HTTP's 16, which is OpenAI's: here nobody expects that. */
const MAX_TOKENS = 256;

export interface InferenceOptions {
  readonly context: RequestContext;
  readonly generation: Generation;
  readonly metrics: Metrics;
}

/** The public gRPC API: the same checks, words and engine as HTTP. */
export function inferenceApi({ context, generation, metrics }: InferenceOptions): InferenceApi {
  return {
    async *generate(request, call) {
      let status = 'cancelled';
      try {
        const parsed = parseInferenceRequest(request, requestId(requestIdOf(call.requestId)), context);
        for await (const event of generation.stream(parsed, call.signal)) if (event.kind !== 'prompt') yield toInferenceEvent(event, promptTokenCount(parsed));
        status = 'ok';
      } catch (thrown) {
        status = AppError.from(thrown).code;
        throw thrown;
      } finally {
        metrics.requests.inc({ route: 'grpc/Generate', status });
      }
    },
    listModels: async () => {
      metrics.requests.inc({ route: 'grpc/ListModels', status: 'ok' });
      return [{ id: context.model.id, contextLength: context.model.spec.contextLength }];
    },
  };
}

const inferenceSchema = z.object({
  ...generationFields,
  logprobs: z.int().min(0).max(LIMITS.topLogprobs).nullish().describe(`a whole number from 0 to ${LIMITS.topLogprobs}`),
});

/** The sentences name fields as HTTP does, which but for their capitals is as the .proto file does. */
function parseInferenceRequest(request: InferenceRequest, id: RequestId, context: RequestContext): GenerationRequest {
  requireModel(request.model, context.model);
  const fields = parseFields(inferenceSchema, toFields(request));
  const { prompt } = request;
  const ids = prompt.kind === 'tokens' ? prompt.ids : encodePrompt(prompt.text, context.model, { addSpecialTokens: true, param: 'text' });
  const planned = toPrompt(ids, { asked: fields.max_tokens ?? null, fallback: MAX_TOKENS, param: prompt.kind }, context.model);
  const constraint = request.constraint === undefined ? {} : { constraint: checkConstraint(request.constraint, 'constraint') };
  return toGenerationRequest(fields, { requestId: id, prompts: [planned], answersPerPrompt: 1, logprobs: fields.logprobs ?? null, promptLogprobs: null, ...constraint }, context);
}

const toFields = ({ sampling, ...request }: InferenceRequest): Record<string, unknown> => ({
  temperature: sampling.temperature,
  top_p: sampling.topP,
  top_k: sampling.topK,
  min_p: sampling.minP,
  presence_penalty: sampling.presencePenalty,
  frequency_penalty: sampling.frequencyPenalty,
  repetition_penalty: sampling.repetitionPenalty,
  logit_bias: sampling.logitBias === undefined ? undefined : Object.fromEntries(sampling.logitBias),
  seed: sampling.seed,
  stop: request.stop,
  stop_token_ids: request.stopTokenIds,
  max_tokens: request.maxTokens,
  min_tokens: request.minTokens,
  ignore_eos: request.ignoreEos,
  priority: request.priority,
  logprobs: request.logprobs,
});

function toInferenceEvent(event: Exclude<ChoiceEvent, { kind: 'prompt' }>, promptTokens: number): InferenceEvent {
  if (event.kind === 'done') return { kind: 'done', finishReason: event.finishReason, promptTokens, completionTokens: event.completionTokens, stats: event.stats };
  const { text, token } = event;
  return { kind: 'delta', text, tokenIds: token === null ? [] : [token.id], logprobs: token?.logprobs == null ? [] : [token.logprobs] };
}
