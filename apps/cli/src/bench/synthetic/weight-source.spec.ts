import { expect, it } from 'vitest';
import { toBfloat16 } from './weight-source.ts';

const roundTrip = (value: number): number => {
  const [half] = toBfloat16(Float32Array.of(value));
  return new Float32Array(Uint32Array.of(half! << 16).buffer)[0]!;
};

it('keeps what bfloat16 can say and rounds the rest to nearest, ties to even', () => {
  expect([0, 1, -2.5, 2 ** -100].map(roundTrip)).toEqual([0, 1, -2.5, 2 ** -100]);
  const step = 2 ** -7;
  expect(roundTrip(1 + 0.4 * step)).toBe(1);
  expect(roundTrip(1 + 0.6 * step)).toBe(1 + step);
  expect(roundTrip(1 + 0.5 * step)).toBe(1);
  expect(roundTrip(1 + 1.5 * step)).toBe(1 + 2 * step);
});
