/** Growth of the attention scores' magnitude with a context stretched by `factor`. @see YaRN, arXiv:2309.00071, equation 22 */
export const stretchedMagnitude = (factor: number, weight = 1): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
