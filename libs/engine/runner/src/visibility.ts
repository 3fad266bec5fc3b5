/** Which positions the tokens [first, first + count) of a sequence look at. */
export interface Visibility {
  /** The earliest position that any of them sees. */
  readonly start: number;
  /** One past the last: first + count. */
  readonly end: number;
  /** [count, end - start]: 0 or -Infinity; null for a single token that sees all of [start, end). */
  readonly mask: Float32Array | null;
}

export interface SightOptions {
  /** Positions a token may look back at, itself included; null for all. */
  readonly slidingWindow: number | null;
  /** True: `start` is 0, also where nobody looks so far back. Sums over positions then run in the same order whichever token comes first. */
  readonly fromStart: boolean;
}

/** Causal: a token sees itself and what is before it, of a sliding window the last `slidingWindow` positions. */
export function visibilityOf(first: number, count: number, { slidingWindow, fromStart }: SightOptions): Visibility {
  const window = slidingWindow ?? Infinity;
  const start = fromStart ? 0 : Math.max(0, first - window + 1);
  const end = first + count;
  if (count === 1 && end - start <= window) return { start, end, mask: null };
  const length = end - start;
  const mask = new Float32Array(count * length).fill(-Infinity);
  for (let token = 0; token < count; token++) {
    const position = first + token;
    const from = Math.max(start, position - window + 1) - start;
    mask.fill(0, token * length + from, token * length + position + 1 - start);
  }
  return { start, end, mask };
}
