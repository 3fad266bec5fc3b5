import { describe, expect, it } from 'vitest';
import { H200, LOAD, MIXTRAL_8X7B, topologyOf } from '../test/samples.ts';
import { ASSUMED_EFFICIENCY } from './load.ts';
import { planCluster, type PlanRequest } from './plan.ts';

const request: PlanRequest = { model: MIXTRAL_8X7B, dtype: 'int8', kvDtype: 'bf16', topology: topologyOf([1]), load: { ...LOAD, streams: 1 } };
const speedOf = (changes: Partial<PlanRequest>): number => planCluster({ ...request, ...changes }).prediction!.speed.tokensPerSecond;

describe('the prediction', () => {
  it('of one stream on one device reads the active weights and half a context of keys and values once', () => {
    const { size, prediction } = planCluster(request);
    const bytes = size.readDenseBytes + 2048 * size.kvBytesPerToken + 32 * 2 * size.expertBytes;
    expect(prediction!.speed.tokensPerSecond).toBeCloseTo((H200.readBytesPerSecond * ASSUMED_EFFICIENCY.memory) / bytes);
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

  it('gives more tokens a second to more streams', () => {
    expect(speedOf({ load: { ...LOAD, streams: 8 } })).toBeGreaterThan(speedOf({}));
  });

  it('is none where the model does not fit, and the smallest cluster is told all the same', () => {
    const plan = planCluster({ ...request, dtype: 'float32', topology: topologyOf([1]) });
    expect(plan).toMatchObject({ prediction: null, fit: { kind: 'short' }, smallest: [{ device: 'H200', workers: 2 }] });
  });
});
