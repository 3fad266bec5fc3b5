import { expect, it } from 'vitest';
import { machineOf } from '@essaim/planning';
import { parseTopology } from '../../plan/parse-topology.ts';
import { topologyYaml } from './topology-file.ts';

const COSTS = { byte: 1 / 8e9, flop: 1 / 4e10, step: 4e-4, layer: 5e-5, row: 2e-5, output: 1.25e-4, roundTrip: 3e-4, linkByte: 1e-9 };
const MACHINE = { processor: 'A Processor', cores: 4, memoryBytes: 16e9, system: 'linux x64', node: '24.0.0' };

/** A cost is one over a rate, and back it is not the same to the last bit. */
const rounded = (value: object): unknown => JSON.parse(JSON.stringify(value), (_, part: unknown) => (typeof part === 'number' ? Number(part.toPrecision(6)) : part));

it.each([1, 2])('a topology of %i workers that was measured is read again with its figures', (workers) => {
  const yaml = topologyYaml({ machine: MACHINE, commit: 'abc', dtype: 'int4', workers, threadsPerWorker: 2, costs: COSTS });
  const { workers: read, within, between, measuredWith } = parseTopology(yaml, 'this.yaml');
  const written = machineOf(workers, COSTS, { name: 'A Processor, 2 threads', memoryBytes: 16e9 / workers });
  expect(rounded({ read, within, between, measuredWith })).toEqual(rounded({ read: written.workers, within: written.within, between: null, measuredWith: 'int4' }));
});
