import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roomForExperts } from '@essaim/core';
import { assertRoom, hasRoom, type WorkerRoom } from './worker-room.ts';

const ROOM: WorkerRoom = { device: 'webgpu', memoryBytes: 280e6, needs: { denseBytes: 132e6, kvBytes: 10e6, kvSlackBytes: 10e6, stepBytes: 40e6, expertBytes: 50e6 }, dtype: 'float32' };
const asking = (experts: number, changes: Partial<WorkerRoom> = {}) => (): void => assertRoom({ ...ROOM, ...changes }, experts);

describe('what a worker is to hold', () => {
  it('fits to the byte', () => {
    expect(asking(2, { memoryBytes: 292e6 })).not.toThrow();
    expect(asking(2, { memoryBytes: 292e6 - 1 })).toThrow();
  });

  it('is refused where it does not, with what is needed, what there is and what to do', () => {
    expect(asking(2)).toThrow(expect.objectContaining({
      code: 'resource_exhausted',
      message: 'a worker on webgpu needs 292 MB (232 MB of weights, 20 MB for keys and values, 40 MB for a step) and has 280 MB for them: choose a smaller --kv-memory, or a smaller --dtype such as int4, or more workers, so that each holds fewer experts',
    }));
  });

  it.each([
    ['the dense part alone', 0, { memoryBytes: 100e6 }, /choose a smaller --dtype such as int4, or more memory for it, by --worker-memory or fewer workers on a machine$/],
    ['what is as small as it can be', 3, { dtype: 'int4' as const, memoryBytes: 200e6 }, /for them: choose more workers, so that each holds fewer experts$/],
  ])('is refused with what would help: %s', (_what, experts, changes, end) => expect(asking(experts, changes)).toThrow(end));

  it('is what placement counts with: as many experts fit as there is room for, and not one more', () => {
    const bytes = fc.nat(1e6);
    fc.assert(fc.property(fc.record({ memoryBytes: fc.nat(1e7), denseBytes: bytes, kvBytes: bytes, kvSlackBytes: bytes, stepBytes: bytes, expertBytes: fc.integer({ min: 1, max: 1e5 }) }), ({ memoryBytes, ...needs }) => {
      const room = { ...ROOM, memoryBytes, needs };
      const experts = roomForExperts(memoryBytes, needs);
      fc.pre(hasRoom(room, 0));
      expect([hasRoom(room, experts), hasRoom(room, experts + 1)]).toEqual([true, false]);
    }));
  });
});
