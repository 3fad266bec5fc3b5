import { type Nvlink } from '../device.ts';
import { type NvidiaGpu } from './gpus.ts';
import { type LinkMatrix } from './topology.ts';

export interface NvlinkFacts {
  readonly gpus: readonly NvidiaGpu[];
  readonly links: LinkMatrix;
  /** By nvidia-smi's index; empty where nothing tells. */
  readonly speeds: ReadonlyMap<number, number>;
}

/** Each GPU's NVLink by its index: who is joined, directly or through others, shares a domain. A GPU whose links are all down has none. */
export function nvlinksOf({ gpus, links, speeds }: NvlinkFacts): ReadonlyMap<number, Nvlink> {
  const isUp = ({ index }: NvidiaGpu): boolean => speeds.get(index) !== 0;
  const peersOf = (gpu: NvidiaGpu): NvidiaGpu[] => gpus.filter((other) => isUp(gpu) && isUp(other) && links.get(gpu.index)?.has(other.index));
  const nvlinks = new Map<number, Nvlink>();
  for (const gpu of gpus) {
    const peers = peersOf(gpu);
    if (peers.length === 0) continue;
    const island = reachable(gpu, peersOf).map(({ pciBusId }) => pciBusId).sort();
    nvlinks.set(gpu.index, { domain: island[0]!, peers: peers.map(({ pciBusId }) => pciBusId), bytesPerSecond: speeds.get(gpu.index) ?? null });
  }
  return nvlinks;
}

function reachable(start: NvidiaGpu, peersOf: (gpu: NvidiaGpu) => NvidiaGpu[]): NvidiaGpu[] {
  const found = new Set([start]);
  for (const gpu of found) for (const peer of peersOf(gpu)) found.add(peer);
  return [...found];
}
