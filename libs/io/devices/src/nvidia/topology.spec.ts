import { describe, expect, it } from 'vitest';
import { LINKS_A100, TOPOLOGY_4X_H100_WITH_NICS, TOPOLOGY_8X_H100, TOPOLOGY_BRIDGE, TOPOLOGY_PCIE } from '../../test/recorded.ts';
import { parseLinkSpeeds, parseTopology } from './topology.ts';

const asObject = (text: string): object => Object.fromEntries([...parseTopology(text)].map(([gpu, links]) => [gpu, Object.fromEntries(links)]));

describe('the matrix of nvidia-smi topo -m', () => {
  it('joins all of eight GPUs behind a switch', () => {
    const links = parseTopology(TOPOLOGY_8X_H100);
    expect([...links.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const [gpu, others] of links) expect([...others]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((other) => other !== gpu).map((other) => [other, 18]));
  });

  it('has network cards too, which no link is for', () => {
    expect(asObject(TOPOLOGY_4X_H100_WITH_NICS)).toEqual({ 0: { 1: 6, 2: 6, 3: 6 }, 1: { 0: 6, 2: 6, 3: 6 }, 2: { 0: 6, 1: 6, 3: 6 }, 3: { 0: 6, 1: 6, 2: 6 } });
  });

  it('joins two cards on a bridge', () => expect(asObject(TOPOLOGY_BRIDGE)).toEqual({ 0: { 1: 3 }, 1: { 0: 3 } }));

  it('joins nobody on PCIe alone', () => expect(asObject(TOPOLOGY_PCIE)).toEqual({ 0: {}, 1: {}, 2: {}, 3: {}, 4: {} }));

  it('is read where its head is underlined', () => {
    expect(asObject(TOPOLOGY_BRIDGE.replace('\tGPU0\tGPU1', '\t\u001b[4mGPU0\tGPU1').replace('NUMA Affinity', 'NUMA Affinity\u001b[0m'))).toEqual({ 0: { 1: 3 }, 1: { 0: 3 } });
  });

  it.each(['', 'Failed to initialize NVML: Driver/library version mismatch', '\tGPU0\nGPU0\t X \n'])('has no links in %j', (text) => {
    expect([...parseTopology(text).values()].flatMap((links) => [...links])).toEqual([]);
  });
});

describe('the speeds of nvidia-smi nvlink -s', () => {
  it('are added up for each GPU', () => expect(Object.fromEntries(parseLinkSpeeds(LINKS_A100))).toEqual({ 0: 300e9, 1: 300e9 }));

  it('leave out links that are down, and know a GPU with no other', () => {
    const text = 'GPU 0: NVIDIA H100 (UUID: GPU-0a)\n\t Link 0: <inactive>\n\t Link 1: 26.562 GB/s\nGPU 1: NVIDIA H100 (UUID: GPU-1b)\n\t Link 0: <inactive>\n';
    expect(Object.fromEntries(parseLinkSpeeds(text))).toEqual({ 0: 26.562e9, 1: 0 });
  });

  it.each(['', 'Link 0: 25 GB/s\n', 'Unable to retrieve NVLink information\n'])('are unknown in %j', (text) => expect(parseLinkSpeeds(text).size).toBe(0));
});
