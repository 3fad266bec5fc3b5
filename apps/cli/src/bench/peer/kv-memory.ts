import { kvBytesPerToken, type KvLayout } from '@essaim/kv';
import { type Load } from './metrics.ts';
import { WARM_UP } from './round.ts';

/** MiB of keys and values of the largest of some loads, as a peer's context has them: more would be filled with prompts that may come again. */
export function kvMemoryMib(loads: readonly Load[], layout: KvLayout): number {
  const tokens = Math.max(...loads.map(({ streams, promptTokens, newTokens }) => streams * (Math.max(promptTokens, WARM_UP.promptTokens) + Math.max(newTokens, WARM_UP.newTokens))));
  return Math.ceil((tokens * kvBytesPerToken(layout)) / 2 ** 20);
}
