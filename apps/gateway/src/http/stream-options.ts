import { z } from 'zod';

export const streamFields = {
  stream: z.boolean().nullish().describe('true or false'),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish().describe('an object with include_usage, true or false'),
  return_token_ids: z.boolean().nullish().describe('true or false'),
} as const;

export interface StreamOptions {
  /** A last chunk with the number of tokens. */
  readonly includeUsage: boolean;
}

/** Null where the answer is to come whole. */
export const toStreamOptions = ({ stream, stream_options }: z.output<z.ZodObject<typeof streamFields>>): StreamOptions | null =>
  stream ? { includeUsage: stream_options?.include_usage ?? false } : null;
