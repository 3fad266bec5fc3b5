import { expect, it } from 'vitest';
import { type CardInfo, type WorkerTimes } from '@essaim/core';
import { type Cards, cards } from '../../libs/io/devices/test/cards.ts';
import { lavapipe } from '../../libs/io/devices/test/lavapipe.ts';
import { GPUS_TWO_BRIDGES, TOPOLOGY_TWO_BRIDGES } from '../../libs/io/devices/test/recorded.ts';
import { softwareAdapter } from '../../libs/io/devices/test/software-adapter.ts';
import { readGreedyRuns } from '../golden/read-vectors.ts';
import { eventually, type RunningCluster, startCluster, type WorkerState, workersOf } from './harness.ts';

/** Several devices of one host, a worker on each. */

const [SWIFTSHADER, LAVAPIPE] = [softwareAdapter(), lavapipe()];
const ORACLE = readGreedyRuns().runs[0]!;

interface DeviceWorker extends WorkerState {
  readonly device: { readonly kind: string; readonly name: string; readonly card: CardInfo | null };
  readonly hosted: readonly { readonly layer: number; readonly expert: number }[];
  readonly times: WorkerTimes;
}

const deviceWorkers = async (cluster: RunningCluster): Promise<readonly DeviceWorker[]> => (await workersOf(cluster)) as readonly DeviceWorker[];

async function assertSaysTheOracles({ ready }: RunningCluster): Promise<void> {
  const body = JSON.stringify({ model: ready.model.id, prompt: ORACLE.prompt, max_tokens: 4, temperature: 0 });
  const response = await fetch(`${ready.addresses.http}/v1/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { choices, usage } = (await response.json()) as { readonly choices: readonly { readonly text: string }[]; readonly usage: { readonly completion_tokens: number } };
  expect([usage.completion_tokens, choices[0]!.text]).toEqual([4, ORACLE.text.slice(0, choices[0]!.text.length)]);
}

it.skipIf(SWIFTSHADER === null || LAVAPIPE === null)('a processor and the adapters of two drivers, a worker on each, say what the oracle says, whoever leads (skipped without SwiftShader and lavapipe)', async () => {
  const environment = { ...LAVAPIPE!.environment, VK_ICD_FILENAMES: `${SWIFTSHADER!['VK_ICD_FILENAMES']}:${LAVAPIPE!.environment.VK_ICD_FILENAMES}` };
  await using cluster = await startCluster(['--devices', 'cpu,webgpu:1,webgpu:0'], environment);
  expect((await deviceWorkers(cluster)).map(({ device }) => device)).toMatchObject([
    { kind: 'cpu', card: null },
    { kind: 'webgpu', name: expect.stringContaining('llvmpipe'), card: { index: 1, uploadBytesPerSecond: expect.any(Number) } },
    { kind: 'webgpu', name: expect.stringContaining('SwiftShader'), card: { index: 0, uploadBytesPerSecond: expect.any(Number) } },
  ]);
  for (let lead = 0; lead < 3; lead++) await assertSaysTheOracles(cluster);
});

it('cards in two domains of NVLink, multiplying in float16, hold every expert once in each, and a lead calls its own domain alone (skipped without lavapipe and a C compiler)', async ({ skip }) => {
  using host: Cards | null = cards([1, 2, 3, 4], { gpus: GPUS_TWO_BRIDGES, topology: TOPOLOGY_TWO_BRIDGES });
  if (host === null) return skip();
  await using cluster = await startCluster(['--devices', 'all', '--replicas', '2', '--compute-dtype', 'f16'], host.environment);
  const workers = await deviceWorkers(cluster);
  expect(workers.map(({ id, device: { kind, card } }) => [id, kind, card!.index, card!.pciBusId, card!.nvlinkDomain!.split('/')[1]])).toEqual([
    ['w1', 'webgpu', 0, '0000:01:00.0', '0000:01:00.0'], ['w2', 'webgpu', 1, '0000:02:00.0', '0000:01:00.0'],
    ['w3', 'webgpu', 2, '0000:03:00.0', '0000:03:00.0'], ['w4', 'webgpu', 3, '0000:04:00.0', '0000:03:00.0'],
  ]);

  const hostedBy = (...nths: readonly number[]): readonly string[] => nths.flatMap((nth) => workers[nth]!.hosted.map(({ layer, expert }) => `${layer}/${expert}`)).sort();
  const experts = hostedBy(0, 1);
  expect([new Set(experts).size, hostedBy(2, 3)]).toEqual([experts.length, experts]);

  for (let round = 0; round < 2; round++) {
    const before = await newWork(cluster);
    await assertSaysTheOracles(cluster);
    const after = await newWork(cluster);
    const whose = (kind: 'steps' | 'callsUs'): readonly string[] => workers.map(({ id }) => id).filter((id) => after[id]![kind] > before[id]![kind]);
    // A card runs the experts of its own lead with the rest of the layer, and counts the calls of others.
    expect([['w1', 'w2'], ['w2', 'w1'], ['w3', 'w4'], ['w4', 'w3']]).toContainEqual([...whose('steps'), ...whose('callsUs')]);
  }
});

const sum = (values: Readonly<Record<string, number>>): number => Object.values(values).reduce((total, value) => total + value, 0);

/** Steps that each worker led, and microseconds of calls to its experts, by reports that were made after this call. */
async function newWork(cluster: RunningCluster): Promise<Readonly<Record<string, { readonly steps: number; readonly callsUs: number }>>> {
  const ages = async (): Promise<readonly number[]> => (await deviceWorkers(cluster)).map(({ times }) => sum({ ...times.lead }));
  // The first report that comes from now on may have been under way.
  for (let report = 0; report < 2; report++) {
    const before = await ages();
    await eventually('each worker reports', async () => (await ages()).every((age, worker) => age > before[worker]!));
  }
  return Object.fromEntries((await deviceWorkers(cluster)).map(({ id, times }) => [id, { steps: times.steps, callsUs: sum({ ...times.expert }) }]));
}
