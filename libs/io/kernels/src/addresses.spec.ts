import { describe, expect, it } from 'vitest';
import { quantisedStride } from '@essaim/panels';
import { randomFloats } from '../test/linear.ts';
import { BANK_BYTES } from './bank.ts';
import { type Kernels } from './kernels.ts';
import { instantiate, kernelsModule } from './module.ts';

const [ROWS, K, COLUMNS] = [5, 100, 48];
/** Between arrays. */
const ROOM = 1 << 18;
const LOW = 1 << 20;

/** Calls over rooms one behind the other, of which the first two hold numbers; they return the rooms that have results. */
const CALLS: Readonly<Record<string, (kernels: Kernels, room: (nth: number) => number) => number[]>> = {
  linear4: (kernels, room) => {
    kernels.quantise(room(0), ROWS, K, K, room(2));
    kernels.pack4(room(1), COLUMNS, K, room(3), room(4));
    kernels.linear4(room(3), room(2), ROWS, K, 0, COLUMNS / 16, room(5), COLUMNS, room(4));
    return [2, 3, 5];
  },
  linear8: (kernels, room) => {
    kernels.quantiseColumns(room(0), ROWS, K, K, room(2), 0, Math.ceil(K / 32));
    kernels.pack8(room(1), COLUMNS, K, room(3), room(4));
    for (let row = 0; row < ROWS; row++) kernels.linear8(room(3), room(2) + row * quantisedStride(K), 1, K, 0, COLUMNS / 16, room(5) + 4 * row * COLUMNS, COLUMNS, room(4));
    return [2, 3, 5];
  },
  linear32: (kernels, room) => {
    kernels.linear32(room(1), room(0), ROWS, K, K, 0, COLUMNS / 16, room(2), COLUMNS, room(3));
    return [2];
  },
  attention: (kernels, room) => {
    kernels.attention(room(0), 24, room(2), 24, ROWS, 7, 2, 12, 12, room(1), 12, room(1) + 4096, 12, 0, 0.3, room(3));
    return [2];
  },
  rows: (kernels, room) => {
    kernels.rmsNorm(room(0), room(1), 1e-5, room(2), ROWS, K, K, K);
    kernels.add(room(0), room(1), room(3), ROWS * K);
    kernels.addScaled(room(3), room(0), 0.5, ROWS * K);
    kernels.swiglu(room(0), room(1), room(4), ROWS, K, K, K, K);
    kernels.copyRows(room(1), K, room(5), K, ROWS, K);
    kernels.rotateHalves(room(5), 2, 12, 8, 4, ROWS, K, 12, room(0), room(1), room(0) + 64);
    kernels.rotatePairs(room(4), 2, 12, 8, 4, ROWS, K, 12, room(0), room(1), 0);
    return [2, 3, 4, 5];
  },
};

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  it.each([['beyond 2 GiB', 2 ** 31 + LOW], ['across 2 GiB', 2 ** 31 - 2.5 * ROOM], ['up to 4 GiB', BANK_BYTES - 6 * ROOM]])('gives the same %s', async (_where, high) => {
    const memory = new WebAssembly.Memory({ initial: BANK_BYTES / 65_536, maximum: BANK_BYTES / 65_536, shared: true });
    const kernels = instantiate(await kernelsModule(), memory);
    kernels.initConstants();
    const [low, other] = [LOW, high].map((first) => {
      const room = (nth: number): number => first + nth * ROOM;
      for (const nth of [0, 1]) new Float32Array(memory.buffer, room(nth), ROOM / 4).set(randomFloats(nth + 1, 10_000));
      return Buffer.concat(call(kernels, room).map((nth) => new Uint8Array(memory.buffer, room(nth), ROOM)));
    });
    expect(low!.some((byte) => byte !== 0)).toBe(true);
    expect(other!.equals(low!)).toBe(true);
  });
});
