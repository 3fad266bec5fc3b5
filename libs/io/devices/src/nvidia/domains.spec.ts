import { describe, expect, it } from 'vitest';
import { TOPOLOGY_8X_H100, TOPOLOGY_BRIDGE, TOPOLOGY_PCIE } from '../../test/recorded.ts';
import { nvlinksOf } from './domains.ts';
import { type NvidiaGpu } from './gpus.ts';
import { parseTopology } from './topology.ts';

const gpusOf = (count: number): NvidiaGpu[] =>
  Array.from({ length: count }, (_, index) => ({ index, name: 'a GPU', uuid: `GPU-${index}`, pciBusId: `0000:${9 - index}0:00.0`, driver: '1', memoryBytes: null, computeCapability: null }));
const linked = (topology: string, count: number, speeds: ReadonlyMap<number, number> = new Map()): ReturnType<typeof nvlinksOf> => nvlinksOf({ gpus: gpusOf(count), links: parseTopology(topology), speeds });

describe('a domain of NVLink', () => {
  it('is all that a switch joins, named by the lowest bus id in it', () => {
    const nvlinks = [...linked(TOPOLOGY_8X_H100, 8).values()];
    expect(nvlinks).toHaveLength(8);
    for (const { domain, peers, bytesPerSecond } of nvlinks) expect([domain, peers.length, bytesPerSecond]).toEqual(['0000:20:00.0', 7, null]);
  });

  it('is two cards on a bridge, each with the speed of its own links', () => {
    expect(Object.fromEntries(linked(TOPOLOGY_BRIDGE, 2, new Map([[0, 42e9], [1, 43e9]])))).toEqual({
      0: { domain: '0000:80:00.0', peers: ['0000:80:00.0'], bytesPerSecond: 42e9 },
      1: { domain: '0000:80:00.0', peers: ['0000:90:00.0'], bytesPerSecond: 43e9 },
    });
  });

  it('reaches through others, while peers are direct', () => {
    const row = '\tGPU0\tGPU1\tGPU2\tGPU3\nGPU0\t X \tNV1\tSYS\tSYS\nGPU1\tNV1\t X \tNV1\tSYS\nGPU2\tSYS\tNV1\t X \tSYS\nGPU3\tSYS\tSYS\tSYS\t X \n';
    const nvlinks = linked(row, 4);
    expect([0, 1, 2, 3].map((gpu) => nvlinks.get(gpu)?.domain)).toEqual(['0000:70:00.0', '0000:70:00.0', '0000:70:00.0', undefined]);
    expect(nvlinks.get(0)!.peers).toEqual(['0000:80:00.0']);
  });

  it('is none on PCIe alone', () => expect(linked(TOPOLOGY_PCIE, 5).size).toBe(0));

  it('is none where links are there but down, as without the fabric manager', () => {
    expect(linked(TOPOLOGY_BRIDGE, 2, new Map([[0, 0], [1, 0]])).size).toBe(0);
  });
});
