import { decode, type LoadMetric, prefill } from '../peer/metrics.ts';

/** What a model on a card is asked. Programs find rows by these names: change none. */
export const GPU_LOADS = [decode(1), decode(8), decode(32), decode(128), prefill(512), prefill(2048)] as const satisfies readonly LoadMetric[];
export type GpuLoadName = (typeof GPU_LOADS)[number]['name'];

/** So much less for an adapter that computes on the processor, which is only to show that everything runs. */
const SOFTWARE_SHARE = 1 / 32;

export function softwareLoad(load: LoadMetric): LoadMetric {
  const { streams, promptTokens, newTokens } = load.load;
  // Of an answer of two tokens one is decoded.
  const few = (tokens: number): number => (tokens === 1 ? 1 : Math.max(2, Math.round(tokens * SOFTWARE_SHARE)));
  return { ...load, load: { streams, promptTokens: few(promptTokens), newTokens: few(newTokens) } };
}
