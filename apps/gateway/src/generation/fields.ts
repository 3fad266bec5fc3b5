import { z } from 'zod';
import { AppError, LIMITS } from '@essaim/core';

/** A token id that some vocabulary could have; the model's own check comes later. */
export const isTokenId = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0x7fff_ffff;

const stopString = z.string().min(1).max(LIMITS.stopStringChars);
const SEEDS = { from: -(2n ** 63n), to: 2n ** 63n - 1n };

/**
 * What every way of asking has in common, under the names of OpenAI's API and of vLLM's extensions to it. Null is as good as absent.
 * A description completes the sentence "NAME must be ...".
 */
export const generationFields = {
  temperature: z.number().min(0).max(2).nullish().describe('a number from 0 to 2'),
  top_p: z.number().gt(0).max(1).nullish().describe('a number above 0 and at most 1'),
  top_k: z.int().min(-1).nullish().describe('a whole number; 0 and -1 are off'),
  min_p: z.number().min(0).max(1).nullish().describe('a number from 0 to 1'),
  presence_penalty: z.number().min(-2).max(2).nullish().describe('a number from -2 to 2'),
  frequency_penalty: z.number().min(-2).max(2).nullish().describe('a number from -2 to 2'),
  repetition_penalty: z.number().gt(0).max(10).nullish().describe('a number above 0 and at most 10'),
  logit_bias: z.record(z.string().regex(/^\d{1,9}$/), z.number().min(-100).max(100)).refine((bias) => Object.keys(bias).length <= LIMITS.logitBiasEntries).nullish()
    .describe(`an object of at most ${LIMITS.logitBiasEntries} token ids, each with a number from -100 to 100`),
  seed: z.union([z.int(), z.bigint().min(SEEDS.from).max(SEEDS.to)]).nullish().describe('a whole number between -2^53 and 2^53'),
  stop: z.union([stopString, z.array(stopString).max(LIMITS.stopStrings)]).nullish()
    .describe(`a string of 1 to ${LIMITS.stopStringChars} characters, or a list of at most ${LIMITS.stopStrings} of them`),
  stop_token_ids: z.array(z.custom<number>(isTokenId)).max(LIMITS.logitBiasEntries).nullish().describe(`a list of at most ${LIMITS.logitBiasEntries} token ids`),
  max_tokens: z.int().min(1).nullish().describe('a whole number from 1'),
  min_tokens: z.int().min(0).nullish().describe('a whole number from 0'),
  ignore_eos: z.boolean().nullish().describe('true or false'),
  priority: z.int().min(-LIMITS.priority).max(LIMITS.priority).nullish().describe(`a whole number from -${LIMITS.priority} to ${LIMITS.priority}; lower is served earlier`),
} as const;

export type GenerationFields = z.output<z.ZodObject<typeof generationFields>>;

/** Fails with `invalid_argument` and a sentence that names the first wrong field. */
export function parseFields<S extends z.ZodObject>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [name, ...rest] = parsed.error.issues[0]?.path ?? [];
  if (name === undefined) throw new AppError('invalid_argument', 'the request must be a JSON object');
  const param = String(name);
  const expected = (schema.shape[param] as z.ZodType | undefined)?.description ?? 'another value';
  const where = rest.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  throw new AppError('invalid_argument', where === '' ? `${param} must be ${expected}` : `${param}${where} is wrong: ${param} must be ${expected}`, { param });
}
