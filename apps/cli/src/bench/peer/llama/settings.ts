import { type Load, type Work } from '../metrics.ts';
import { type ContextShape } from './protocol.ts';

/** What llama.cpp's user may choose for a context, apart from threads. */
export type LlamaSettings = Pick<ContextShape, 'batchTokens' | 'flashAttention' | 'order'>;

/** The best of everything that was tried, for each kind of work: more than any one user of llama.cpp has. */
export interface BestSettings extends Readonly<Record<Work, LlamaSettings>> {
  /** Whether the file is mapped where the start is measured. Elsewhere it is read, which needs less memory. */
  readonly startsMapped: boolean;
}

export interface Trial {
  readonly load: Load;
  readonly settings: readonly LlamaSettings[];
}

const withAndWithoutFlash = (batchTokens: number): LlamaSettings[] => [true, false].map((flashAttention) => ({ batchTokens, flashAttention, order: 'maximumParallelism' }));
const inEachOrder = (batchTokens: number): LlamaSettings[] => (['maximumParallelism', 'firstInFirstOut'] as const).map((order) => ({ batchTokens, flashAttention: true, order }));

/** What is tried on which load. Decoding fills no batch, so that its size matters to prompts only; the order matters where several prompts come at once. */
export const TRIALS: Readonly<Record<Work, Trial>> = {
  decode: { load: { streams: 16, promptTokens: 64, newTokens: 32 }, settings: withAndWithoutFlash(512) },
  prefill: { load: { streams: 1, promptTokens: 1024, newTokens: 1 }, settings: [128, 256, 512, 1024].flatMap(withAndWithoutFlash) },
  arrival: { load: { streams: 16, promptTokens: 64, newTokens: 1 }, settings: [128, 256, 512].flatMap(inEachOrder) },
};
