import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantiseRows } from '@essaim/quantise';
import { q4Bytes, q4Rows } from './q4-rows.ts';

const rows = fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 64, maxLength: 64 }).map((values) => Float32Array.from(values));

it('holds what Essaim computes with', () => {
  fc.assert(fc.property(rows, (values) => {
    const [written, ours] = [readQ4(q4Rows(values, 64)), readOurs(values, 64)];
    // Only scales below the normal range of float16 are rounded, by half its smallest step.
    for (const [index, value] of ours.entries()) expect(Math.abs(written[index]! - value)).toBeLessThanOrEqual(8 * 2 ** -25);
  }));
});

it('takes 18 bytes for 32 values', () => {
  expect(q4Rows(new Float32Array(128), 64)).toHaveLength(q4Bytes(128));
  expect(q4Bytes(128)).toBe(72);
});

/** As `dequantize_row_q4_0` of ggml's does it. */
function readQ4(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 18 }, (_, block) => {
    const scale = view.getFloat16(18 * block, true);
    const codes = [...bytes.subarray(18 * block + 2, 18 * (block + 1))];
    return [...codes.map((code) => ((code & 15) - 8) * scale), ...codes.map((code) => ((code >> 4) - 8) * scale)];
  }).flat();
}

/** As the kernels do it. */
function readOurs(values: Float32Array, columns: number): number[] {
  const { codes, scales } = quantiseRows(values, { columns, dtype: 'int4', scales: 'bf16' });
  return Array.from(values, (_, index) => {
    const pair = codes[index >> 1]!;
    return ((index % 2 === 0 ? pair & 15 : pair >> 4) - 8) * scales[index >> 5]!;
  });
}
