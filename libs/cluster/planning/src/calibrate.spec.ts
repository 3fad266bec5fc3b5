import { describe, expect, it } from 'vitest';
import { LOAD, MIXTRAL_8X7B } from '../test/samples.ts';
import { calibrate, type Costs, machineOf, type Observation } from './calibrate.ts';
import { planCluster } from './plan.ts';

const TRUE_COSTS: Costs = { byte: 1e-10, flop: 1e-11, step: 4e-4, layer: 5e-5, row: 2e-5, output: 1e-4, roundTrip: 3e-4, linkByte: 1e-9 };
const SHAPES = [[4, 256, 128], [16, 256, 128], [8, 512, 1024], [3, 1536, 2560]] as const;

function observed(workers: number, { noise = 0 } = {}): Observation[] {
  return SHAPES.flatMap(([layerCount, hiddenSize, size]) => {
    const model = { ...MIXTRAL_8X7B, vocabSize: 8192, layerCount, hiddenSize, feedForward: { ...MIXTRAL_8X7B.feedForward, size } } as Observation['model'];
    return ([[1, 256, 'step'], [16, 256, 'step'], [1, 1024, 'firstToken']] as const).map(([streams, contextTokens, of], nth): Observation => {
      const load = { ...LOAD, streams, contextTokens };
      const plain = { model, dtype: 'int4', kvDtype: 'bf16', workers, load, of } as const;
      return { ...plain, seconds: secondsWith(plain, TRUE_COSTS) * (1 + noise * (nth - 1)) };
    });
  });
}

function secondsWith({ model, dtype, kvDtype, workers, load, of }: Omit<Observation, 'seconds'>, costs: Costs): number {
  const topology = { ...machineOf(workers, costs, { name: 'a', memoryBytes: 1e15 }), measuredWith: dtype };
  const { speed } = planCluster({ model, dtype, kvDtype, topology, load }).prediction!;
  return of === 'step' ? load.streams / speed.tokensPerSecond : speed.firstTokenSeconds;
}

describe.each([1, 2])('calibrating a machine of %i workers', (workers) => {
  it('finds the costs by which the times came about, so that plans foretell other models', () => {
    const costs = calibrate(observed(workers));
    const other = { model: MIXTRAL_8X7B, dtype: 'int4', kvDtype: 'bf16', workers, load: LOAD, of: 'step' } as const;
    expect(secondsWith(other, costs) / secondsWith(other, TRUE_COSTS)).toBeCloseTo(1, 1);
  });

  it('comes near where the times are not what any costs give', () => {
    const costs = calibrate(observed(workers, { noise: 0.1 }));
    for (const observation of observed(workers)) expect(Math.abs(secondsWith(observation, costs) / observation.seconds - 1)).toBeLessThan(0.25);
    expect(Object.values(costs).every((cost) => cost >= 0 && Number.isFinite(1 / (cost || 1)))).toBe(true);
  });
});
