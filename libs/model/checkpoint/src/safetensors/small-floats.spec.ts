import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { E2M1_VALUES, E4M3_VALUES, fromE2m1, fromE4m3 } from './small-floats.ts';

/** float32 bits of every code in order, by ml_dtypes. */
interface Oracle {
  readonly e4m3Bits: readonly string[];
  readonly e2m1Bits: readonly string[];
}
const oracle = JSON.parse(readFileSync(new URL('../../../../../test/golden/vectors/checkpoint-forms.json', import.meta.url), 'utf8')) as Oracle;
const floatsOf = (bits: readonly string[]): Float32Array => new Float32Array(Uint32Array.from(bits, (hex) => Number.parseInt(hex, 16)).buffer);

describe('every code of a small float', () => {
  it('of e4m3 is the number of the oracle, zeros of both signs and both not-a-numbers among them', () => {
    expect(E4M3_VALUES).toEqual(floatsOf(oracle.e4m3Bits));
    expect([E4M3_VALUES[128], E4M3_VALUES[127], E4M3_VALUES[255], E4M3_VALUES[126]]).toEqual([-0, NaN, NaN, 448]);
  });

  it('of e2m1 is the number of the oracle', () => {
    expect(E2M1_VALUES).toEqual(floatsOf(oracle.e2m1Bits));
    expect([...E2M1_VALUES]).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6]);
  });
});

it('reads one e4m3 a byte, and two e2m1, the lower half first', () => {
  expect(fromE4m3(Uint8Array.of(0x38, 0xb8, 0x01))).toEqual(Float32Array.of(1, -1, 2 ** -9));
  expect(fromE2m1(Uint8Array.of(0x21, 0xf7))).toEqual(Float32Array.of(0.5, 1, 6, -6));
});
