/** Whole numbers that look random and are the same on every machine for the same seed. */
export interface Random {
  /** 32 bits. */
  next(): number;
  /** 0 to `bound` - 1, for bounds far below 2^32. */
  below(bound: number): number;
}

/** SplitMix with 32 bits: a counter through the mixing function of MurmurHash3. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  return { next, below: (bound) => Math.floor((next() / 2 ** 32) * bound) };
}
