import { describe, expect, it } from 'vitest';
import { H200, LOAD, MIXTRAL_8X7B, topologyOf } from '../test/samples.ts';
import { ASSUMED_EFFICIENCY } from './load.ts';
import { planCluster, type PlanRequest } from './plan.ts';

const request: PlanRequest = { model: MIXTRAL_8X7B, dtype: 'int8', kvDtype: 'bf16', topology: topologyOf([1]), load: { ...LOAD, streams: 1 } };
const speedOf = (changes: Partial<PlanRequest>): number => planCluster({ ...request, ...changes }).prediction!.speed.tokensPerSecond;

describe('the prediction', () => {
  it('of one stream on one device reads and multiplies the active weights and half a context of keys and values once', () => {
    const { size, prediction } = planCluster(request);
    const bytes = size.readDenseBytes + 2048 * size.kvBytesPerToken + 32 * 2 * size.expertBytes;
    const flops = size.denseFlops + 2048 * size.attentionFlops + 32 * 2 * size.expertFlops;
    const seconds = bytes / (H200.readBytesPerSecond * ASSUMED_EFFICIENCY.memory) + flops / (H200.flopsPerSecond * ASSUMED_EFFICIENCY.compute);
    expect(prediction!.speed.tokensPerSecond).toBeCloseTo(1 / seconds);
    expect(prediction!.traffic.every(({ bytesPerToken }) => bytesPerToken === 0)).toBe(true);
  });

  it('costs the price of all devices for the time that a million tokens take', () => {
    const { prediction } = planCluster(request);
    expect(prediction!.costPerMillionTokens).toBeCloseTo((3.5 * 1e6) / (3600 * prediction!.speed.tokensPerSecond));
    expect(planCluster({ ...request, topology: topologyOf([1], { ...H200, pricePerHour: null }) }).prediction!.costPerMillionTokens).toBeNull();
  });

  it('is slower with slower links and faster with faster memory', () => {
    const pair = topologyOf([1, 1]);
    const slow = { ...pair, between: { ...pair.between!, roundTripSeconds: 1e-3 } };
    expect(speedOf({ topology: slow })).toBeLessThan(speedOf({ topology: pair }));
    expect(speedOf({ topology: topologyOf([1], { ...H200, readBytesPerSecond: 8e12 }) })).toBeGreaterThan(speedOf({}));
  });

  it('adds what a step, its layers and its answer take besides, where that was measured', () => {
    const overhead = { step: 1e-3, layer: 1e-4, row: 3e-5, output: 2e-3 };
    const added = 1 / speedOf({ topology: topologyOf([1], { ...H200, overhead }) }) - 1 / speedOf({});
    expect(added).toBeCloseTo(1e-3 + 32 * (1e-4 + 3e-5) + 2e-3);
  });

  it('takes measured figures as they are', () => {
    const { readBytesPerSecond, flopsPerSecond } = H200;
    const same = topologyOf([1], { ...H200, readBytesPerSecond: readBytesPerSecond * ASSUMED_EFFICIENCY.memory, flopsPerSecond: flopsPerSecond * ASSUMED_EFFICIENCY.compute });
    expect(speedOf({ topology: { ...same, measuredWith: 'int8' } })).toBeCloseTo(speedOf({}));
  });

  it('of several leads counts an expert once for all, since they step together, on the worker that has more of those that are hit', () => {
    const { size, prediction } = planCluster({ ...request, topology: topologyOf([2], { ...H200, flopsPerSecond: Infinity }), load: { ...LOAD, streams: 4 } });
    const [read, all] = [prediction!.speed.step.experts * H200.readBytesPerSecond * ASSUMED_EFFICIENCY.memory, 32 * 4 * size.expertBytes];
    // Each of 4 tokens misses an expert in 6 of 8 draws; leads that read for themselves would read 7/8 of all.
    expect(read / all).toBeGreaterThan(1 - (6 / 8) ** 4);
    expect(read / all).toBeLessThan(2 * (1 - (6 / 8) ** 2));
  });

  it('of one stream on two workers waits for the one that was drawn more often', () => {
    const { size, prediction } = planCluster({ ...request, topology: topologyOf([2], { ...H200, flopsPerSecond: Infinity }) });
    const read = prediction!.speed.step.experts * H200.readBytesPerSecond * ASSUMED_EFFICIENCY.memory;
    // Two experts in 12 of 28 draws, else one on each.
    expect(read / (32 * size.expertBytes)).toBeCloseTo(40 / 28, 1);
  });

  it('gives more tokens a second to more streams', () => {
    expect(speedOf({ load: { ...LOAD, streams: 8 } })).toBeGreaterThan(speedOf({}));
  });

  it('is none where the model does not fit, and the smallest cluster is told all the same', () => {
    const plan = planCluster({ ...request, dtype: 'float32', topology: topologyOf([1]) });
    expect(plan).toMatchObject({ prediction: null, fit: { kind: 'short' }, smallest: [{ device: 'H200', workers: 2 }] });
  });
});
