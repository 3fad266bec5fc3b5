import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBf16, toBf16 } from '../test/float32.ts';
import { KernelMemory } from '../test/kernel-memory.ts';

const memory = new KernelMemory();

/** Floats of any bits, and such as lie at or beside the middle between two numbers of bfloat16. */
const anyFloat = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.tuple(fc.integer({ min: 0, max: 2 ** 16 - 1 }), fc.constantFrom(0, 0x7fff, 0x8000, 0x8001, 0xffff)).map(([high, low]) => high * 2 ** 16 + low))
  .map((pattern) => new Float32Array(Uint32Array.of(pattern).buffer)[0]!);

it('rows are copied as bfloat16 to nearest even, NaN as NaN, and nothing beside them is touched', () => {
  const shapes = fc.record({ rows: fc.integer({ min: 1, max: 4 }), vectors: fc.integer({ min: 1, max: 9 }), fromGap: fc.nat(5), toGap: fc.nat(5) });
  fc.assert(fc.property(shapes, fc.array(anyFloat, { minLength: 200, maxLength: 200 }), ({ rows, vectors, fromGap, toGap }, floats) => {
    memory.clear();
    const width = 4 * vectors;
    const [fromStride, toStride] = [width + fromGap, width + toGap];
    const [from, to] = [memory.put(floats), memory.room(rows * toStride)];
    const untouched = new Uint16Array(memory.read(to, rows * toStride).buffer);
    memory.kernels.copyRowsBf16(from, fromStride, to, toStride, rows, width);
    const copied = new Uint16Array(memory.read(to, rows * toStride).buffer);
    const expected = untouched.map((pattern, index) => {
      const [row, column] = [Math.floor(index / toStride), index % toStride];
      return row < rows && column < width ? toBf16(floats[row * fromStride + column]!) : pattern;
    });
    expect(copied).toEqual(expected);
  }));
});

it('rows of bfloat16 are copied as the float32 that they mean, and nothing beside them is touched', () => {
  memory.clear();
  const [rows, width, fromStride, toStride] = [3, 20, 24, 21];
  const numbers = Uint16Array.from({ length: rows * fromStride }, (_, index) => (index * 2503) % 2 ** 16);
  const [from, to] = [memory.put(new Float32Array(numbers.buffer)), memory.room(rows * toStride)];
  memory.kernels.widenRowsBf16(from, fromStride, to, toStride, rows, width);
  memory.read(to, rows * toStride).forEach((value, index) => {
    const [row, column] = [Math.floor(index / toStride), index % toStride];
    expect(value).toBe(column < width ? fromBf16(numbers[row * fromStride + column]!) : NaN);
  });
});
