import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sameData } from './same-data.ts';

it('agrees with Node on plain data', () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    expect(sameData(a, b)).toBe(isDeepStrictEqual(a, b));
    expect(sameData(a, structuredClone(a))).toBe(true);
    expect(sameData([a, b], [a])).toBe(false);
  }));
});
