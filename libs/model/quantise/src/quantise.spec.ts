import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_SIZE, blocksPerRow, bytesPerBlock, QUANTISED_BITS, type QuantisedDtype, type QuantisedRows, quantiseRows } from './quantise.ts';

const DTYPES = ['int8', 'int4'] as const;
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });

/** As MatMulNBits reads it: its documentation, not our writer. */
function dequantise({ codes, scales }: QuantisedRows, dtype: QuantisedDtype, columns: number): Float32Array {
  const blocks = blocksPerRow(columns);
  const rows = scales.length / blocks;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const block = row * blocks + Math.floor(column / BLOCK_SIZE);
      const index = column % BLOCK_SIZE;
      const bytes = block * bytesPerBlock(dtype);
      const code = dtype === 'int8' ? codes[bytes + index]! - 128 : ((codes[bytes + (index >> 1)]! >> (4 * (index & 1))) & 15) - 8;
      values[row * columns + column] = code * scales[block]!;
    }
  }
  return values;
}

describe.each(DTYPES)('%s', (dtype) => {
  const step = dtype === 'int8' ? 127 : 8;

  it('comes back within half a step of its block, clipping aside', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 70 }).chain((columns) => fc.tuple(fc.constant(columns), fc.array(fc.array(float, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 3 }))), ([columns, rows]) => {
      const values = Float32Array.from(rows.flat());
      const back = dequantise(quantiseRows(values, { columns, dtype }), dtype, columns);
      values.forEach((value, index) => {
        const column = index % columns;
        const start = index - (column % BLOCK_SIZE);
        const block = values.subarray(start, Math.min(start + BLOCK_SIZE, index - column + columns));
        const largest = block.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        // One full step for what is clipped: int4 reaches 8 steps one way and 7 the other.
        expect(Math.abs(back[index]! - value)).toBeLessThanOrEqual((largest / step) * (dtype === 'int8' ? 0.501 : 1.25) + 1e-30);
      });
    }));
  });

  it('keeps zeros exact', () => {
    expect(dequantise(quantiseRows(new Float32Array(64), { columns: 64, dtype }), dtype, 64)).toEqual(new Float32Array(64));
  });

  it('pads the last block with codes of zero', () => {
    const { codes } = quantiseRows(new Float32Array(33).fill(1), { columns: 33, dtype });
    const zero = 2 ** (QUANTISED_BITS[dtype] - 1);
    const last = codes.subarray(codes.length - 1)[0]!;
    expect(dtype === 'int8' ? last : last & 15).toBe(zero);
  });

  it('lets a NaN be seen', () => {
    const values = new Float32Array(32).fill(1);
    values[5] = NaN;
    expect(quantiseRows(values, { columns: 32, dtype }).scales[0]).toBeNaN();
  });
});

/** The nearest bfloat16 of a number, by trying its neighbours. */
function nearestBf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]! & 0xffff0000;
  const [below, above] = [bits, bits + 0x10000].map((word) => new Float32Array(Uint32Array.of(word).buffer)[0]!) as [number, number];
  const [down, up] = [Math.abs(value - below), Math.abs(above - value)];
  return down < up || (down === up && (bits & 0x10000) === 0) ? below : above;
}

describe.each(DTYPES)('%s with scales of bfloat16', (dtype) => {
  const blockOf = fc.array(float, { minLength: BLOCK_SIZE, maxLength: BLOCK_SIZE }).map((list) => Float32Array.from(list));

  it('are the nearest ones of those that float32 would have', () => {
    fc.assert(fc.property(blockOf, (values) => {
      const [scale] = quantiseRows(values, { columns: BLOCK_SIZE, dtype, scales: 'bf16' }).scales;
      const [exact] = quantiseRows(values, { columns: BLOCK_SIZE, dtype }).scales;
      // At int4 the search may end at another fraction; all are fractions of the full scale, rounded.
      const full = values.reduce((most, value) => (Math.abs(value) >= Math.abs(most) && (value < 0 || Math.abs(value) > Math.abs(most)) ? value : most), 0) / -8;
      const candidates = dtype === 'int8' ? [nearestBf16(exact!)] : [1, 0.95, 0.9, 0.85].map((fraction) => nearestBf16(nearestBf16(full) * fraction));
      expect(candidates.map((candidate) => candidate + 0)).toContain(scale);
    }));
  });

  it('have the codes that are nearest for them', () => {
    fc.assert(fc.property(blockOf, (values) => {
      const quantised = quantiseRows(values, { columns: BLOCK_SIZE, dtype, scales: 'bf16' });
      const scale = quantised.scales[0]!;
      const [lowest, highest] = dtype === 'int8' ? [-128, 127] : [-8, 7];
      dequantise(quantised, dtype, BLOCK_SIZE).forEach((back, index) => {
        const least = Math.min(...Array.from({ length: highest - lowest + 1 }, (_, nth) => Math.abs(Math.fround((lowest + nth) * scale) - values[index]!)));
        expect(Math.abs(back - values[index]!)).toBeLessThanOrEqual(least * (1 + 1e-6) + 1e-30);
      });
    }));
  });

  it('let a NaN and infinities be seen', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const values = new Float32Array(64).fill(1);
      values[5] = value;
      const { scales } = quantiseRows(values, { columns: 64, dtype, scales: 'bf16' });
      expect([...scales].map(Number.isFinite)).toEqual([false, true]);
    }
  });
});

it('int4 is never worse in squared error than the plain scale', () => {
  fc.assert(fc.property(fc.array(float, { minLength: BLOCK_SIZE, maxLength: BLOCK_SIZE }), (list) => {
    const values = Float32Array.from(list);
    const error = (back: Float32Array): number => back.reduce((sum, value, index) => sum + (value - values[index]!) ** 2, 0);
    // Of two values of one magnitude and different signs the negative one, as there.
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const extreme = values.includes(-largest) ? -largest : largest;
    const scale = Math.fround(extreme / -8);
    const plain = values.map((value) => (scale === 0 ? 0 : Math.min(7, Math.max(-8, Math.round(value / scale))) * scale));
    expect(error(dequantise(quantiseRows(values, { columns: BLOCK_SIZE, dtype: 'int4' }), 'int4', BLOCK_SIZE))).toBeLessThanOrEqual(error(plain) * (1 + 1e-6) + 1e-12);
  }));
});
