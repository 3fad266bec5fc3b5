import { describe, expect, it } from 'vitest';
import { type MemoryNeeds, type WorkerRegistration } from '@essaim/core';
import { registration } from '../test/samples.ts';
import { howToFit } from './shortage.ts';

const MIB = 2 ** 20;
const NEEDS: MemoryNeeds = { denseBytes: 100 * MIB, kvBytes: 64 * MIB, kvSlackBytes: 0, stepBytes: 10 * MIB, expertBytes: 10 * MIB };

const worker = (memoryMib: number, needs: Partial<MemoryNeeds> = {}): WorkerRegistration =>
  registration('w1', { device: { ...registration('w1').device, memoryBytes: memoryMib * MIB }, needs: { ...NEEDS, ...needs } });

describe('what would help a cluster with too little memory', () => {
  it('is more workers, smaller keys and values, and a smaller form of the weights', () => {
    expect(howToFit([worker(204), worker(204)], { missing: 4, replicas: 1, dtype: 'int8' })).toBe('42 MB are missing for 4 of 10 MB each: start 2 more like them, or lower --kv-memory to 44, or choose a smaller --dtype such as int4');
  });

  it('counts what a card takes beyond keys and values', () => {
    expect(howToFit([worker(268, { kvSlackBytes: 64 * MIB })], { missing: 2, replicas: 1, dtype: 'int4' })).toBe('21 MB are missing for 2 of 10 MB each: start 1 more like it, or lower --kv-memory to 54');
  });

  it('is nothing that would not help', () => {
    expect(howToFit([worker(180), worker(180)], { missing: 40, replicas: 2, dtype: 'int4' })).toBe('419 MB are missing for 40 of 10 MB each: give workers more memory');
    expect(howToFit([worker(204)], { missing: 3, replicas: 2, dtype: 'int4' })).toContain('choose fewer --replicas');
  });
});
