import { type TestedDevice } from '@essaim/devices';
import { type LlamaProcess } from '../../../peer/llama/llama-process.ts';
import { type BestSettings, type LlamaSettings, type Trial } from '../../../peer/llama/settings.ts';
import { fastestSettings, type Trying } from '../../../peer/llama/try-settings.ts';

const settings = (batchTokens: number, flashAttention: boolean): LlamaSettings => ({ batchTokens, flashAttention, order: 'maximumParallelism' });
const USUAL = settings(512, true);

/** A card is given more at once than a processor. */
const TRIALS: Readonly<Record<'decode' | 'prefill', Trial>> = {
  decode: { load: { streams: 8, promptTokens: 64, newTokens: 32 }, settings: [true, false].map((flashAttention) => settings(512, flashAttention)) },
  prefill: { load: { streams: 1, promptTokens: 2048, newTokens: 1 }, settings: [512, 1024, 2048].flatMap((batchTokens) => [true, false].map((flashAttention) => settings(batchTokens, flashAttention))) },
};

/** The fastest of what its user may choose; what is usual for an adapter that computes on the processor, where trying takes an hour. */
export async function cardSettings(process: LlamaProcess, { kind }: TestedDevice, trying: Trying): Promise<BestSettings> {
  const best = async (work: 'decode' | 'prefill'): Promise<LlamaSettings> => (kind === 'software' ? USUAL : fastestSettings(process, { work, trial: TRIALS[work] }, trying));
  return { startsMapped: false, decode: await best('decode'), prefill: await best('prefill'), arrival: USUAL };
}
