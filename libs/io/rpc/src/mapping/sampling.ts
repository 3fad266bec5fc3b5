import { AppError } from '@essaim/core';

const MIN_SEED = -(1n << 63n);
const MAX_SEED = (1n << 63n) - 1n;

/** Seeds are 64-bit signed on the wire, as in the HTTP API. */
export function toWireSeed(seed: bigint): bigint {
  if (seed < MIN_SEED || seed > MAX_SEED) throw new AppError('invalid_argument', 'seed must fit in a signed 64-bit integer', { param: 'seed' });
  return seed;
}

export const toWireLogitBias = (bias: ReadonlyMap<number, number>): Record<number, number> => Object.fromEntries(bias);

export const fromWireLogitBias = (bias: Readonly<Record<string, number>>): ReadonlyMap<number, number> =>
  new Map(Object.entries(bias).map(([id, value]) => [Number(id), value]));
