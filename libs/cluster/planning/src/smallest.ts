import { workerId } from '@essaim/core';
import { wouldFit } from './fit.ts';
import { type PlannedLoad } from './load.ts';
import { type ModelSize } from './model-size.ts';
import { type PlannedDevice, type PlannedWorker } from './topology.ts';

/** Looked at up to here. */
const MOST_WORKERS = 512;

export interface SmallestCluster {
  readonly device: string;
  /** Null where not even the largest number that is looked at would do, for instance since one device can't hold the dense part. */
  readonly workers: number | null;
}

/** The fewest devices of one kind that would fit the load with all copies asked for, for each kind that the cluster has. */
export function smallestClusters(size: ModelSize, workers: readonly PlannedWorker[], load: PlannedLoad): SmallestCluster[] {
  const devices = new Map(workers.map(({ device }) => [device.name, device]));
  return [...devices.values()].map((device) => ({ device: device.name, workers: fewest(size, device, load) }));
}

function fewest(size: ModelSize, device: PlannedDevice, load: PlannedLoad): number | null {
  for (let count = size.routedLayerCount === 0 ? 1 : load.replicas; count <= MOST_WORKERS; count++) {
    const workers = Array.from({ length: count }, (_, index): PlannedWorker => ({ id: workerId(`${index}`), node: 0, device }));
    if (wouldFit(size, workers, load)) return count;
  }
  return null;
}
