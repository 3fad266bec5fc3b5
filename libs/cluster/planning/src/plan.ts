import { type KvDtype, type ModelDescription } from '@essaim/core';
import { fitModel, type Fit } from './fit.ts';
import { ASSUMED_EFFICIENCY, type Efficiency, MEASURED_EFFICIENCY, type PlannedLoad } from './load.ts';
import { type PlannedDtype } from './matrix-bytes.ts';
import { modelSize, type ModelSize } from './model-size.ts';
import { type SmallestCluster, smallestClusters } from './smallest.ts';
import { predictSpeed, type Speed } from './speed.ts';
import { type Topology } from './topology.ts';
import { linkTraffic, type LinkTraffic } from './traffic.ts';

export interface PlanRequest {
  readonly model: ModelDescription;
  readonly dtype: PlannedDtype;
  readonly kvDtype: KvDtype;
  readonly topology: Topology;
  readonly load: PlannedLoad;
}

export interface Plan {
  readonly size: ModelSize;
  readonly fit: Fit;
  /** Null where the model does not fit. */
  readonly prediction: { readonly traffic: readonly LinkTraffic[]; readonly speed: Speed; readonly costPerMillionTokens: number | null } | null;
  /** For each kind of device of the topology. */
  readonly smallest: readonly SmallestCluster[];
}

/** Everything that follows from a model, a cluster and a load. Pure. */
export function planCluster({ model, dtype, kvDtype, topology, load }: PlanRequest): Plan {
  const size = modelSize(model, dtype, kvDtype);
  const fit = fitModel(size, topology.workers, load);
  const smallest = smallestClusters(size, topology.workers, load);
  if (fit.kind === 'short') return { size, fit, prediction: null, smallest };
  const traffic = linkTraffic(size, topology, { assignment: fit.assignment, wireBytesPerValue: load.wireBytesPerValue });
  const speed = predictSpeed({ size, topology, assignment: fit.assignment, traffic, load, efficiency: efficiencyOf(topology) });
  return { size, fit, prediction: { traffic, speed, costPerMillionTokens: costOf(topology, speed) }, smallest };
}

/** Of the figures that the topology gives. */
export const efficiencyOf = ({ measuredWith }: Topology): Efficiency => (measuredWith === null ? ASSUMED_EFFICIENCY : MEASURED_EFFICIENCY);

/** In the currency of the prices; null unless every device has one. */
function costOf({ workers }: Topology, { tokensPerSecond }: Speed): number | null {
  const prices = workers.map(({ device }) => device.pricePerHour);
  const perHour = prices.reduce((total, price) => (total === null || price === null ? null : total + price), 0);
  return perHour === null ? null : (perHour * 1e6) / (tokensPerSecond * 3600);
}
