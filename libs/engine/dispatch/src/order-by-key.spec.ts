import fc from 'fast-check';
import { expect, it } from 'vitest';
import { orderByKey } from './order-by-key.ts';

it('has every entry once, at its key, ascending', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (keys) => {
    const { starts, order } = orderByKey(Uint32Array.from(keys), 10);
    for (let key = 0; key < 10; key++) {
      expect(Array.from(order.subarray(starts[key], starts[key + 1]))).toEqual(keys.flatMap((each, entry) => (each === key ? [entry] : [])));
    }
    expect(starts[10]).toBe(keys.length);
  }));
});
