import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleave, PANEL_FORMS } from '@essaim/panels';
import { compileKernels } from './module.ts';
import { PanelPacker } from './panel-packer.ts';

const NUMBERS = {
  'of any size': fc.float({ noNaN: true, noDefaultInfinity: true }),
  'of one size': fc.float({ noNaN: true, min: -1, max: 1 }),
  // Halfway between two codes wherever the scale is a power of two.
  'that are halves': fc.integer({ min: -16, max: 16 }).map((value) => value / 2),
  'next to zero': fc.integer({ min: -40, max: 40 }).map((value) => value * 2 ** -149),
  'that are none, among them': fc.oneof({ arbitrary: fc.float({ noNaN: true }), weight: 30 }, { arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0), weight: 1 }),
};

describe.each([true, false])('panels by the kernels (wide: %s)', (wide) => {
  const packer = new PanelPacker(compileKernels({ wide }));

  it.each(Object.entries(NUMBERS))('have the bytes that the plain way gives, for numbers %s', (_which, number) => {
    const matrix = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100 })).chain(([rows, columns]) =>
      fc.tuple(fc.constant(columns), fc.array(number, { minLength: rows * columns, maxLength: rows * columns })));
    fc.assert(fc.property(fc.constantFrom(...PANEL_FORMS), matrix, (form, [columns, list]) => {
      const values = Float32Array.from(list);
      expect(Buffer.from(packer.interleave(values, columns, form)).equals(interleave(values, columns, form))).toBe(true);
    }));
  });
});

it('rows that are longer than the memory at first make it larger', () => {
  const columns = 300_000;
  const values = Float32Array.from({ length: 5 * columns }, (_, index) => Math.sin(index));
  const packer = new PanelPacker(compileKernels({ wide: true }));
  for (const form of ['int4', 'int8'] as const) expect(Buffer.from(packer.interleave(values, columns, form)).equals(interleave(values, columns, form))).toBe(true);
});
