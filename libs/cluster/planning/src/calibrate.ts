import { type KvDtype, type ModelDescription, workerId } from '@essaim/core';
import { fitModel } from './fit.ts';
import { MEASURED_EFFICIENCY, type PlannedLoad } from './load.ts';
import { type PlannedDtype } from './matrix-bytes.ts';
import { modelSize } from './model-size.ts';
import { predictSpeed, totalOf } from './speed.ts';
import { type PlannedDevice, type Topology } from './topology.ts';
import { linkTraffic } from './traffic.ts';

/** How long a real cluster of equal workers on one machine took. */
export interface Observation {
  readonly model: ModelDescription;
  readonly dtype: PlannedDtype;
  readonly kvDtype: KvDtype;
  readonly workers: number;
  readonly load: PlannedLoad;
  /** One step of all streams, or a prompt that fills the context. */
  readonly of: 'step' | 'firstToken';
  readonly seconds: number;
}

/** Seconds of one unit of each thing that the formula counts. A floor stands for what was too short to be told from nothing: figures stay finite. */
const FLOORS = { byte: 1e-14, flop: 1e-16, step: 0, layer: 0, row: 0, output: 0, roundTrip: 0, linkByte: 1e-13 } as const;
export type Costs = Readonly<Record<keyof typeof FLOORS, number>>;
const TERMS = Object.keys(FLOORS) as (keyof Costs)[];
const NOTHING = Object.fromEntries(TERMS.map((term) => [term, 0])) as Costs;

/** Passes over all terms: of so few the last ones change nothing any more. */
const PASSES = 20_000;

/**
 * The costs with which the formula of `predictSpeed` comes nearest to what was observed, all with the same number of workers. A prediction is a
 * sum of counts times costs, so this is non-negative least squares of relative errors: sum of (predicted / observed - 1)^2. One cost after
 * the other is set to its best value while the others stay (coordinate descent), which ends at the minimum, since the sum is convex.
 */
export function calibrate(observations: readonly Observation[]): Costs {
  const rows = observations.map((observation) => TERMS.map((term) => predictedSeconds(observation, { ...NOTHING, [term]: 1 }) / observation.seconds));
  const costs = TERMS.map((term) => FLOORS[term] as number);
  for (let pass = 0; pass < PASSES; pass++) {
    TERMS.forEach((term, index) => {
      const square = sum(rows.map((row) => row[index]! ** 2));
      if (square === 0) return;
      const missing = sum(rows.map((row) => row[index]! * (1 - sum(row.map((count, other) => (other === index ? 0 : count * costs[other]!))))));
      costs[index] = Math.max(FLOORS[term], missing / square);
    });
  }
  return Object.fromEntries(TERMS.map((term, index) => [term, costs[index]!])) as unknown as Costs;
}

/** What `predictSpeed` says of a machine with these costs. Every model that is observed fits. */
function predictedSeconds({ model, dtype, kvDtype, workers, load, of }: Observation, costs: Costs): number {
  const topology = machineOf(workers, costs, { name: '', memoryBytes: Number.MAX_SAFE_INTEGER });
  const size = modelSize(model, dtype, kvDtype);
  const fit = fitModel(size, topology.workers, load);
  if (fit.kind === 'short') return 0;
  const traffic = linkTraffic(size, topology, { assignment: fit.assignment, wireBytesPerValue: load.wireBytesPerValue });
  return totalOf(predictSpeed({ size, topology, assignment: fit.assignment, traffic, load, efficiency: MEASURED_EFFICIENCY })[of]);
}

/** One machine of equal workers with measured costs. */
export function machineOf(workers: number, costs: Costs, { name, memoryBytes }: Pick<PlannedDevice, 'name' | 'memoryBytes'>): Topology {
  const device: PlannedDevice = {
    name, processor: 'cpu', memoryBytes, readBytesPerSecond: 1 / costs.byte, flopsPerSecond: 1 / costs.flop, pricePerHour: null,
    overhead: { step: costs.step, layer: costs.layer, row: costs.row, output: costs.output },
  };
  return {
    name, workers: Array.from({ length: workers }, (_, nth) => ({ id: workerId(`worker-${`${nth + 1}`.padStart(3, '0')}`), node: 0, device })),
    within: [workers === 1 ? null : { kind: 'loopback', bytesPerSecond: 1 / costs.linkByte, roundTripSeconds: costs.roundTrip }], between: null, measuredWith: null,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
