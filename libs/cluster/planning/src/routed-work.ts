import { type WorkerId } from '@essaim/core';
import { type Assignment } from '@essaim/placement';

/** What a worker does for a layer: experts that it reads, and rows that go through one, a token's row once for each of its experts. */
export interface RoutedWork {
  experts: number;
  rows: number;
}

export interface RoutedTokens {
  /** Workers that lead, each so many tokens. */
  readonly leads: readonly WorkerId[];
  readonly tokensPerLead: number;
  readonly expertsPerToken: number;
}

/**
 * What routers that choose all experts equally often ask of each worker in a layer [expert][copy], drawn once. A lead's own copy serves it, else each copy
 * equally often. Leads go through the layers in step, so that an expert is read once for all of them.
 */
export function drawRoutedWork(layer: Assignment[number], { leads, tokensPerLead, expertsPerToken }: RoutedTokens, random: () => number): ReadonlyMap<WorkerId, RoutedWork> {
  const work = new Map<WorkerId, RoutedWork>(layer.flat().map((id) => [id, { experts: 0, rows: 0 }]));
  const read = layer.map(() => new Set<WorkerId>());
  const order = layer.map((_, expert) => expert);
  for (const lead of leads) {
    for (let drawn = 0; drawn < tokensPerLead * expertsPerToken; drawn++) {
      // Without replacement within a token: Fisher and Yates' shuffle, as far as it is needed, from whatever order the last token left.
      const place = drawn % expertsPerToken;
      const other = place + Math.floor(random() * (order.length - place));
      [order[place], order[other]] = [order[other]!, order[place]!];
      const expert = order[place]!;
      const copies = layer[expert]!;
      const server = copies.includes(lead) ? lead : copies[Math.floor(random() * copies.length)]!;
      const served = work.get(server)!;
      served.rows += 1;
      if (!read[expert]!.has(server)) served.experts += 1;
      read[expert]!.add(server);
    }
  }
  return work;
}

/** Numbers from 0 to below 1, the same each time: a plan is the same each time. Marsaglia, Xorshift RNGs, 2003. */
export function repeatableRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
