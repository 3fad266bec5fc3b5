import { describe, expect, it } from 'vitest';
import { H200, LOAD, MISTRAL_LARGE_3, MIXTRAL_8X7B, topologyOf } from '../test/samples.ts';
import { fitModel } from './fit.ts';
import { modelSize } from './model-size.ts';
import { chanceOfNone, linkTraffic, type LinkTraffic } from './traffic.ts';

function trafficOf(nodes: readonly number[], { replicas = 1, model = MIXTRAL_8X7B } = {}): LinkTraffic[] {
  const [size, topology] = [modelSize(model, 'int4'), topologyOf(nodes, { ...H200, memoryBytes: 1e12 })];
  const fit = fitModel(size, topology.workers, { ...LOAD, replicas });
  if (fit.kind === 'short') throw new Error(fit.reason);
  return linkTraffic(size, topology, { assignment: fit.assignment, wireBytesPerValue: 4 });
}

describe('the traffic of a token', () => {
  it('between two machines with half of 8 experts each: a row there and back in 11 of 14 layers', () => {
    // 2 of 8 experts: both among the lead's own 4 with 6 of 28.
    const [link] = trafficOf([1, 1]);
    expect(link!.link.kind).toBe('InfiniBand');
    expect(link!.bytesPerToken).toBeCloseTo(32 * (22 / 28) * 2 * 4096 * 4);
    expect(link!.roundTripsPerToken).toBeCloseTo(32 * (22 / 28));
  });

  it('is none where every worker has every expert', () => {
    expect(trafficOf([1, 1], { replicas: 2 })).toEqual([expect.objectContaining({ bytesPerToken: 0, roundTripsPerToken: 0 }), expect.anything()]);
  });

  it('sends one row to a worker that has several of its experts', () => {
    const [link] = trafficOf([1, 1], { model: MISTRAL_LARGE_3 }).filter(({ bytesPerToken }) => bytesPerToken > 0);
    const none = chanceOfNone(64, { expertCount: 128, expertsPerToken: 4 });
    expect(link!.bytesPerToken).toBeCloseTo(58 * (1 - none) * 2 * 7168 * 4);
  });

  it('waits once a layer at most, over all kinds of links', () => {
    const traffic = trafficOf([2, 2]);
    const waits = traffic.reduce((total, { roundTripsPerToken }) => total + roundTripsPerToken, 0);
    expect(traffic.map(({ link }) => link.kind)).toEqual(['InfiniBand', 'NVLink']);
    // 2 of 8 experts each: all local with 1 of 28.
    expect(waits).toBeCloseTo(32 * (27 / 28));
  });
});

it('the chance that no expert is among some is that of a draw without replacement', () => {
  expect(chanceOfNone(1, { expertCount: 4, expertsPerToken: 2 })).toBeCloseTo(3 / 6);
  expect(chanceOfNone(3, { expertCount: 4, expertsPerToken: 2 })).toBe(0);
  expect(chanceOfNone(0, { expertCount: 4, expertsPerToken: 2 })).toBe(1);
});
