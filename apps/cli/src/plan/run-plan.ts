import { AppError, defaultKvDtype } from '@essaim/core';
import { planCluster, type PlanRequest } from '@essaim/planning';
import { dtypeOf, loadOf, modelPathOf, type PlanFlags } from './options.ts';
import { jsonReport } from './json-report.ts';
import { type ParsedTopology } from './parse-topology.ts';
import { readDescription } from './read-description.ts';
import { textReport } from './text-report.ts';
import { readTopology, shippedTopologies } from './topologies.ts';

/** Plans and prints; a model that does not fit is an answer, not a failure. */
export async function runPlan(flags: PlanFlags): Promise<void> {
  if (flags.list) return void process.stdout.write(listing());
  if (flags.cluster === undefined) throw new AppError('invalid_argument', `--cluster is missing: name a file or one of ${shippedTopologies().join(', ')}`);
  const topology = withPrice(readTopology(flags.cluster), flags.price);
  const model = await readDescription(modelPathOf(flags));
  const dtype = dtypeOf(flags, model);
  const request: PlanRequest = { model, dtype, kvDtype: flags.kvDtype ?? defaultKvDtype(dtype), topology, load: loadOf(flags, model) };
  const plan = planCluster(request);
  process.stdout.write(flags.json ? `${JSON.stringify(jsonReport(request, plan))}\n` : `${textReport(request, plan)}\n`);
}

const listing = (): string => shippedTopologies().map((name) => `${name.padEnd(14)}${readTopology(name).description}\n`).join('');

const withPrice = (topology: ParsedTopology, pricePerHour: number | undefined): ParsedTopology =>
  pricePerHour === undefined ? topology : { ...topology, workers: topology.workers.map((worker) => ({ ...worker, device: { ...worker.device, pricePerHour } })) };
