const MASK_64 = (1n << 64n) - 1n;
/** 2^64 over the golden ratio, odd: the step of SplitMix64. */
const GOLDEN_STEP = 0x9e3779b97f4a7c15n;

/**
 * A number in [0, 1) with 53 random bits that depends on (seed, position) alone: the output number `position` of SplitMix64
 * (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Any draw can be repeated without those before it.
 * The seed is mixed first, so that streams of neighbouring seeds share nothing; without that they would be shifts of one sequence.
 */
export function uniformAt(seed: bigint, position: number): number {
  const bits = mix(mix(seed & MASK_64) + BigInt(position + 1) * GOLDEN_STEP);
  return Number(bits >> 11n) * 2 ** -53;
}

/** SplitMix64's finalizer, a bijection of 64-bit numbers. */
function mix(value: bigint): bigint {
  let bits = value & MASK_64;
  bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
  bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
  return bits ^ (bits >> 31n);
}
