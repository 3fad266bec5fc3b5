import { describe, expect, it } from 'vitest';
import { parseTopology } from './parse-topology.ts';
import { readTopology, shippedTopologies } from './topologies.ts';

const GROUP = 'workers: [{ count: 2, device: A, processor: cpu, memoryGB: 2, readGBPerSecond: 3, teraflops: 4 }]';
const LINK = 'link: { kind: PCIe, GBPerSecond: 25, roundTripMicroseconds: 20 }';

it.each(shippedTopologies())('the topology %s that comes with Essaim can be planned for', (name) => {
  const topology = readTopology(name);
  expect(topology.workers.length).toBeGreaterThan(0);
  expect(topology.workers.every(({ device }) => device.pricePerHour !== null)).toBe(true);
});

it('a topology has a worker for each that its nodes count, in bytes, seconds and without a price that nobody gave', () => {
  const { workers, within } = parseTopology(`{ description: d, nodes: [{ count: 2, ${GROUP}, ${LINK} }], network: { kind: N, GBPerSecond: 1, roundTripMicroseconds: 9 } }`, 'x.yaml');
  expect(workers.map(({ id, node }) => [id, node])).toEqual([['worker-001', 0], ['worker-002', 0], ['worker-003', 1], ['worker-004', 1]]);
  expect(workers[0]!.device).toEqual({ name: 'A', processor: 'cpu', memoryBytes: 2e9, readBytesPerSecond: 3e9, flopsPerSecond: 4e12, pricePerHour: null, overhead: { step: 0, layer: 0, row: 0, output: 0 } });
  expect(within[1]).toEqual({ kind: 'PCIe', bytesPerSecond: 25e9, roundTripSeconds: 20e-6 });
});

describe('a topology is refused in one sentence', () => {
  it.each<[string, string, RegExp]>([
    ['that is no YAML', 'nodes: [', /not valid YAML/],
    ['that is empty', '', /^x\.yaml is no topology that can be planned for: /],
    ['with an unknown key', `{ description: d, nodes: [{ count: 1, ${GROUP}, ${LINK}, color: red }] }`, /nodes\.0: .*color/],
    ['with no memory', `{ description: d, nodes: [{ count: 1, ${GROUP.replace('memoryGB: 2', 'memoryGB: 0')}, ${LINK} }] }`, /nodes\.0\.workers\.0\.memoryGB/],
    ['with several workers and no link', `{ description: d, nodes: [{ count: 1, ${GROUP} }] }`, /machine 1 has several workers and no link/],
    ['with several machines and no network', `{ description: d, nodes: [{ count: 2, ${GROUP}, ${LINK} }] }`, /no network/],
    ['with too many workers', `{ description: d, nodes: [{ count: 512, ${GROUP}, ${LINK} }] }`, /1024 workers, and at most 512/],
    ['with one name for two links', `{ description: d, nodes: [{ count: 2, ${GROUP}, ${LINK} }], network: { kind: PCIe, GBPerSecond: 1, roundTripMicroseconds: 9 } }`, /two links are of kind PCIe/],
  ])('%s', (_, text, sentence) => {
    expect(() => parseTopology(text, 'x.yaml')).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(sentence) as string }));
  });
});

it('a cluster that is neither shipped nor a file is refused with the names of those that are', () => {
  expect(() => readTopology('nowhere.yaml')).toThrow(/neither a file nor one of .*8xh200/);
});
