import { type Attention } from './attention.ts';

/** Forms in which keys and values are kept: float32, or rounded to its upper 16 bits, bfloat16. */
export const KV_DTYPES = ['f32', 'bf16'] as const;
export type KvDtype = (typeof KV_DTYPES)[number];

export const KV_VALUE_BYTES: Readonly<Record<KvDtype, number>> = { f32: 4, bf16: 2 };

/** What goes with weights of a form unless somebody asks for another: beside the error of weights of 8 bits or fewer, that of 16 in keys and values is lost. */
export const defaultKvDtype = (weights: string): KvDtype => (weights === 'float32' ? 'f32' : 'bf16');

/** Values that a token keeps in each layer. */
export interface KvWidths {
  /** For grouped-query attention key-value heads times head size, for latent attention the latent and behind it the rotated key. */
  readonly keyWidth: number;
  /** As wide as keys, or 0 for latent attention: its values are the latents within the keys. */
  readonly valueWidth: number;
}

export function kvWidthsOf(attention: Attention): KvWidths {
  if (attention.kind === 'mla') return { keyWidth: attention.latentRank + attention.rotarySize, valueWidth: 0 };
  const width = attention.kvHeadCount * attention.headSize;
  return { keyWidth: width, valueWidth: width };
}
