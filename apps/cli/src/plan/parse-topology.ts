import { parse } from 'yaml';
import { z } from 'zod';
import { AppError, workerId } from '@essaim/core';
import { type Link, PLANNED_DTYPES, type PlannedWorker, type Topology } from '@essaim/planning';

const MOST_WORKERS = 512;

const above0 = z.number().positive().finite();
const from0 = z.number().min(0).finite();
const count = z.int().min(1).max(MOST_WORKERS);
const link = z.strictObject({ kind: z.string().min(1), GBPerSecond: above0, roundTripMicroseconds: from0 });
const workers = z.strictObject({
  count, device: z.string().min(1), processor: z.enum(['cpu', 'gpu']), memoryGB: above0, readGBPerSecond: above0, teraflops: above0, pricePerHour: from0.optional(),
  stepMicroseconds: from0.default(0), layerMicroseconds: from0.default(0), rowMicroseconds: from0.default(0), outputMicroseconds: from0.default(0),
});
const topology = z.strictObject({
  description: z.string().min(1), measuredWith: z.enum(PLANNED_DTYPES).optional(),
  nodes: z.array(z.strictObject({ count, workers: z.array(workers).min(1), link: link.optional() })).min(1), network: link.optional(),
});

type Written = z.infer<typeof topology>;

export interface ParsedTopology extends Topology {
  readonly description: string;
}

/** A topology from its YAML (or JSON), `path` for messages. Fails with `invalid_argument` in a sentence that names the key. */
export function parseTopology(text: string, path: string): ParsedTopology {
  const parsed = topology.safeParse(readYaml(text, path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(path, `${issue!.path.join('.') || 'the topology'}: ${issue!.message}`);
  }
  const built = build(parsed.data, path);
  checkLinks(built, path);
  return built;
}

function readYaml(text: string, path: string): unknown {
  try {
    // An alias could stand for more than a machine holds.
    return parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (thrown) {
    throw refused(path, `it is not valid YAML: ${(thrown as Error).message.split('\n')[0]!.replace(/:$/, '')}`);
  }
}

function build({ description, measuredWith, nodes, network }: Written, path: string): ParsedTopology {
  const machines = nodes.flatMap((node) => Array.from({ length: node.count }, () => node));
  const all = machines.flatMap((node, index) => node.workers.flatMap((group) => Array.from({ length: group.count }, () => ({ group, index }))));
  if (all.length > MOST_WORKERS) throw refused(path, `it has ${all.length} workers, and at most ${MOST_WORKERS} are planned for`);
  const planned = all.map(({ group, index }, nth): PlannedWorker => ({
    // Ids sort as workers are written.
    id: workerId(`worker-${`${nth + 1}`.padStart(3, '0')}`), node: index,
    device: {
      name: group.device, processor: group.processor, memoryBytes: group.memoryGB * 1e9, readBytesPerSecond: group.readGBPerSecond * 1e9,
      flopsPerSecond: group.teraflops * 1e12, pricePerHour: group.pricePerHour ?? null,
      overhead: { step: group.stepMicroseconds / 1e6, layer: group.layerMicroseconds / 1e6, row: group.rowMicroseconds / 1e6, output: group.outputMicroseconds / 1e6 },
    },
  }));
  return { name: path, description, workers: planned, within: machines.map(({ link: within }) => linkOf(within)), between: linkOf(network), measuredWith: measuredWith ?? null };
}

const linkOf = (written: z.infer<typeof link> | undefined): Link | null =>
  written === undefined ? null : { kind: written.kind, bytesPerSecond: written.GBPerSecond * 1e9, roundTripSeconds: written.roundTripMicroseconds / 1e6 };

function checkLinks({ workers: all, within, between }: Topology, path: string): void {
  const lonely = within.findIndex((each, node) => each === null && all.filter((worker) => worker.node === node).length > 1);
  if (lonely >= 0) throw refused(path, `machine ${lonely + 1} has several workers and no link: add link: { kind, GBPerSecond, roundTripMicroseconds } to its node`);
  if (within.length > 1 && between === null) throw refused(path, 'it has several machines and no network: add network: { kind, GBPerSecond, roundTripMicroseconds }');
  const kinds = new Map<string, Link>();
  for (const each of [...within, between]) {
    if (each === null) continue;
    const twin = kinds.get(each.kind) ?? each;
    if (twin.bytesPerSecond !== each.bytesPerSecond || twin.roundTripSeconds !== each.roundTripSeconds) throw refused(path, `two links are of kind ${each.kind} and differ: give each its own kind`);
    kinds.set(each.kind, each);
  }
}

const refused = (path: string, reason: string): AppError => new AppError('invalid_argument', `${path} is no topology that can be planned for: ${reason}`);
