import { stringify } from 'yaml';
import { type Costs } from '@essaim/planning';
import { type Machine } from '../machine.ts';

export interface MeasuredMachine {
  readonly machine: Machine;
  readonly commit: string;
  readonly dtype: string;
  readonly workers: number;
  readonly threadsPerWorker: number;
  readonly costs: Costs;
}

/** A topology that `essaim plan --cluster` reads: equal workers on this machine, with the figures that were measured. */
export function topologyYaml({ machine, commit, dtype, workers, threadsPerWorker, costs }: MeasuredMachine): string {
  const device = {
    count: workers, device: `${machine.processor}, ${threadsPerWorker} threads`, processor: 'cpu', memoryGB: significant(machine.memoryBytes / workers / 1e9),
    readGBPerSecond: significant(1e-9 / costs.byte), teraflops: significant(1e-12 / costs.flop),
    stepMicroseconds: significant(1e6 * costs.step), layerMicroseconds: significant(1e6 * costs.layer), rowMicroseconds: significant(1e6 * costs.row), outputMicroseconds: significant(1e6 * costs.output),
  };
  const link = { kind: 'loopback', GBPerSecond: significant(1e-9 / costs.linkByte), roundTripMicroseconds: significant(1e6 * costs.roundTrip) };
  return stringify({
    description: `this machine, measured at commit ${commit}`, measuredWith: dtype,
    nodes: [{ count: 1, workers: [device], ...(workers === 1 ? {} : { link }) }],
  });
}

/** Three digits tell all that a measurement can. */
const significant = (value: number): number => Number(value.toPrecision(3));
