import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { H200, LOAD, MISTRAL_LARGE_3, MIXTRAL_8X7B, topologyOf } from '../test/samples.ts';
import { fitModel, spareOf, wouldFit } from './fit.ts';
import { modelSize } from './model-size.ts';
import { smallestClusters } from './smallest.ts';
import { type PlannedWorker } from './topology.ts';

const mixtral = modelSize(MIXTRAL_8X7B, 'int4');
const large = modelSize(MISTRAL_LARGE_3, 'fp8');

const anyWorkers = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }).map((gigabytes) =>
  topologyOf([gigabytes.length]).workers.map((worker, index): PlannedWorker => ({ ...worker, device: { ...H200, memoryBytes: gigabytes[index]! * 1e9 } })));
const anyLoad = fc.record({ replicas: fc.integer({ min: 1, max: 3 }), streams: fc.integer({ min: 1, max: 8 }) }).map((changes) => ({ ...LOAD, ...changes }));

describe('Mistral Large 3 on eight H200', () => {
  it('fits in fp8: 928 experts each, 58 x 128 in all', () => {
    const fit = fitModel(large, topologyOf([8]).workers, LOAD);
    expect(fit.kind).toBe('fits');
    expect(fit.workers.map(({ experts }) => experts)).toEqual(Array.from({ length: 8 }, () => (58 * 128) / 8));
    expect(fit.workers[0]!.expertBytes / 1e9).toBeCloseTo(81.76, 1);
  });

  it('does not in bf16, and says by how much', () => {
    const fit = fitModel(modelSize(MISTRAL_LARGE_3, 'bf16'), topologyOf([8]).workers, LOAD);
    expect(fit).toMatchObject({ kind: 'short', reason: expect.stringMatching(/^the experts do not fit on all workers together, \d+ GB are missing: add workers/) as string });
  });
});

describe('whatever the workers and the load', () => {
  it('more memory never fits less', () => {
    fc.assert(fc.property(anyWorkers, anyLoad, fc.nat(), (workers, load, nth) => {
      const more = workers.map((worker, index) => (index === nth % workers.length ? { ...worker, device: { ...worker.device, memoryBytes: worker.device.memoryBytes + 1e9 } } : worker));
      if (wouldFit(mixtral, workers, load)) expect(wouldFit(mixtral, more, load)).toBe(true);
    }), { numRuns: 200 });
  });

  it('the sum over the workers is the whole, and nobody holds more than it may', () => {
    fc.assert(fc.property(anyWorkers, anyLoad, (workers, load) => {
      const fit = fitModel(mixtral, workers, load);
      expect(fit.kind === 'fits').toBe(wouldFit(mixtral, workers, load));
      if (fit.kind === 'short') {
        expect(fit.missingBytes).toBeGreaterThan(0);
        return;
      }
      expect(fit.workers.reduce((total, { experts }) => total + experts, 0)).toBe(32 * 8 * Math.min(load.replicas, workers.length));
      expect(Math.min(...fit.workers.map(spareOf))).toBeGreaterThanOrEqual(0);
    }), { numRuns: 100 });
  });
});

it('the smallest cluster fits, and one worker less does not', () => {
  const [{ workers } = { workers: null }] = smallestClusters(large, topologyOf([8]).workers, LOAD);
  expect(wouldFit(large, topologyOf([workers!]).workers, LOAD)).toBe(true);
  expect(wouldFit(large, topologyOf([workers! - 1]).workers, LOAD)).toBe(false);
});

it('no number of devices does where one can not hold what every worker needs', () => {
  const small = topologyOf([1], { ...H200, memoryBytes: 10e9 });
  expect(smallestClusters(large, small.workers, LOAD)).toEqual([{ device: 'H200', workers: null }]);
});
