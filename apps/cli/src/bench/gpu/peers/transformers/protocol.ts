import { z } from 'zod';

/** What the process of transformers is told when it is started. */
export interface TransformersLoading {
  /** Absolute; of a checkpoint. */
  readonly folder: string;
  /** Of the card that is measured; null where nothing tells. */
  readonly pciBusId: string | null;
  /** In float32 on the processor, for an adapter that computes there, too. */
  readonly onProcessor: boolean;
}

/** What it is asked, one request at a time. */
export type TransformersRequest =
  | { readonly kind: 'describe' }
  | { readonly kind: 'generate'; readonly prompts: readonly (readonly number[])[]; readonly newTokens: number }
  | { readonly kind: 'predict'; readonly prompt: readonly number[]; readonly tokens: number };

const DESCRIBED = z.object({
  kind: z.literal('described'), torch: z.string(), transformers: z.string(), device: z.string(), dtype: z.string(),
  /** What transformers chose for the model by itself. */
  attention: z.string().nullable(), experts: z.string().nullable(),
});

/** A line of the process's standard output. Times are milliseconds on a clock of its own. */
export const TRANSFORMERS_REPLY = z.discriminatedUnion('kind', [
  DESCRIBED,
  z.object({ kind: z.literal('generated'), askedMs: z.number(), tokenMs: z.array(z.array(z.number()).min(1)) }),
  z.object({ kind: z.literal('predicted'), prediction: z.array(z.object({ id: z.number(), logprob: z.number() })) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type TransformersReply = z.infer<typeof TRANSFORMERS_REPLY>;
export type TransformersDescription = Omit<z.infer<typeof DESCRIBED>, 'kind'>;
