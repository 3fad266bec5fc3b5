/**
 * The values of the 256 codes of e4m3 ("FN": no infinities, one not-a-number of each sign): sign, 4 bits of exponent biased by 7, 3 of mantissa.
 * @see FP8 Formats for Deep Learning, arXiv:2209.05433, table 1
 */
export const E4M3_VALUES = valuesOf({ exponentBits: 4, mantissaBits: 3 }).fill(NaN, 127, 128).fill(NaN, 255);

/** The values of the 16 codes of e2m1: sign, 2 bits of exponent biased by 1, 1 of mantissa. @see OCP Microscaling Formats 1.0, section 5.3.3 */
export const E2M1_VALUES = valuesOf({ exponentBits: 2, mantissaBits: 1 });

/** Of a float of that shape in which every code is a number. An exponent of 0 marks subnormals. */
function valuesOf({ exponentBits, mantissaBits }: { readonly exponentBits: number; readonly mantissaBits: number }): Float32Array {
  const bias = 2 ** (exponentBits - 1) - 1;
  const magnitudes = Array.from({ length: 2 ** (exponentBits + mantissaBits) }, (_, code) => {
    const exponent = code >> mantissaBits;
    const fraction = (code % 2 ** mantissaBits) / 2 ** mantissaBits;
    return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  });
  return Float32Array.from([...magnitudes, ...magnitudes.map((magnitude) => -magnitude)]);
}

export function fromE4m3(codes: Uint8Array): Float32Array {
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) values[index] = E4M3_VALUES[codes[index]!]!;
  return values;
}

/** Two codes a byte, the lower four bits first. */
export function fromE2m1(pairs: Uint8Array): Float32Array {
  const values = new Float32Array(2 * pairs.length);
  for (let index = 0; index < pairs.length; index++) {
    values[2 * index] = E2M1_VALUES[pairs[index]! & 15]!;
    values[2 * index + 1] = E2M1_VALUES[pairs[index]! >> 4]!;
  }
  return values;
}
