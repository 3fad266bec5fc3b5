import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClusterRole, createClusterAuthority, type IssuedCertificate, issueCertificate } from '@essaim/auth';
import { AppError, GREEDY, requestId, sequenceId } from '@essaim/core';
import { connectWorker } from '@essaim/rpc';
import { createLogger } from '@essaim/telemetry';
import { NEVER, SELF, snapshot } from '../test/samples.ts';
import { TestControlPlane } from '../test/test-control-plane.ts';
import { type WorkerEnvironment } from './environment.ts';
import { ClusterWorker } from './worker.ts';

/** A worker from listening to leaving, before it has loaded anything; what it does with a model is tested as a process of its own. */

const PETIT = { id: 'petit', directory: join(import.meta.dirname, '../../../deploy/models/petit'), dtype: 'int8' as const, deterministic: false };
const logger = createLogger({ component: 'test', level: 'silent' });

let certificates: Record<ClusterRole, IssuedCertificate>;
beforeAll(async () => {
  const now = new Date();
  const authority = await createClusterAuthority({ now });
  const issue = (role: ClusterRole): Promise<IssuedCertificate> => issueCertificate(authority, { role, name: `${role}-1`, now });
  certificates = { 'control-plane': await issue('control-plane'), gateway: await issue('gateway'), worker: await issue('worker') };
});

let folder: string;
let control: TestControlPlane;
let stop: AbortController;
let running: Promise<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-worker-'));
  control = await TestControlPlane.start({ tls: certificates['control-plane'] });
  control.serves = PETIT;
  stop = new AbortController();
  // This test is not the parent that it would tell where it listens.
  vi.spyOn(process as { send: (...sent: unknown[]) => boolean }, 'send').mockImplementation((...sent) => {
    (sent.at(-1) as () => void)();
    return true;
  });
  running = run({});
});
afterEach(async () => {
  stop.abort();
  await running.catch(() => undefined);
  await control.stop();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function run(told: Partial<WorkerEnvironment>): Promise<void> {
  const environment = { id: SELF, host: '127.0.0.1', port: 0, controlAddress: Promise.resolve(control.address), expected: null, threads: 1, device: { kind: 'named' as const, provider: 'cpu' as const, index: 0 }, computeDtype: 'f32' as const, memoryBytes: 2 ** 30, kvMemoryBytes: 2 ** 28, kvMemoryShrinks: false, kvDtype: 'f32' as const, wireDtype: 'f32' as const, runningSequences: 64, draftTokens: 0, stateFolder: folder, tls: certificates.worker, ...told };
  const started = new ClusterWorker(environment, logger).run(stop.signal);
  started.catch(() => undefined);
  return started;
}

const generate = (address: string) => {
  const lead = connectWorker(address, { tls: certificates.gateway });
  const request = {
    requestId: requestId('r'), sequenceId: sequenceId('s'), promptIds: [1], generatedIds: [], sampling: GREEDY, maxTokens: 1, minTokens: 0, stopTokenIds: [],
    ignoreEos: false, logprobs: null, promptLogprobs: null, priority: 0, timeoutMs: 5_000,
  };
  const answer = async (): Promise<void> => {
    for await (const _ of lead.generate(request, NEVER));
  };
  return answer().finally(() => lead.close());
};

describe('a worker without a placement', () => {
  it('listens, joins under the address where it listens, and says that it is not ready', async () => {
    await expect.poll(() => control.reports.length).toBeGreaterThan(0);
    const [{ id, pid, address, roles, device, numerics, needs }] = control.joins as [typeof control.joins[0]];
    expect({ id, pid, roles }).toEqual({ id: SELF, pid: process.pid, roles: { lead: true, expert: true } });
    expect([numerics, device.memoryBytes]).toEqual([{ kvDtype: 'f32', computeDtype: 'f32' }, 2 ** 30]);
    expect(needs).toMatchObject({ kvBytes: 2 ** 28, kvSlackBytes: 0, expertBytes: 235_008 });
    expect(control.reports[0]).toMatchObject({ state: 'joining', epoch: 0, hosted: [], leadReady: false, failure: null });
    await expect(generate(address)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('still loading') as string });
  });

  it('gives its lease back when told to stop, and answers nobody any more', async () => {
    await expect.poll(() => control.reports.length).toBeGreaterThan(0);
    stop.abort();
    await running;
    expect(control.left).toHaveLength(1);
    await expect(generate(control.joins[0]!.address)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a worker that can\'t serve the model', () => {
  it('never joins, and ends with the reason', async () => {
    const directory = join(folder, 'no such model');
    control.serves = { ...PETIT, directory };
    await expect(run({})).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining(directory) as string });
  });

  it('neither does one whose memory is one byte short of the dense part', async () => {
    await expect.poll(() => control.joins.length).toBe(1);
    const [{ needs: { denseBytes, kvBytes, stepBytes } }] = control.joins as [typeof control.joins[0]];
    const memoryBytes = denseBytes + kvBytes + stepBytes;
    await expect(run({ memoryBytes: memoryBytes - 1 })).rejects.toMatchObject({ code: 'resource_exhausted', message: expect.stringMatching(/^a worker on cpu needs 28\d MB \(.*\) and has 28\d MB for them: choose a smaller --kv-memory, or/) as string });
    expect(control.joins).toHaveLength(1);
    void run({ memoryBytes });
    await expect.poll(() => control.joins.length).toBe(2);
  });

  it('neither does one that was told to expect another', async () => {
    const other = run({ expected: { model: { ...PETIT, dtype: 'float32' }, workers: 1, replicas: 1 } });
    await expect(other).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringContaining('told to expect petit') as string });
  });

  it('says why in its last report, gives its lease back and ends with the same sentence, when it learns so later', async () => {
    await expect.poll(() => control.reports.length).toBeGreaterThan(0);
    control.publish(snapshot(1, { model: { ...PETIT, dtype: 'float32' } }));
    await expect(running).rejects.toMatchObject({ code: 'failed_precondition' });
    expect(control.reports.at(-1)).toMatchObject({ failure: expect.stringContaining('told to expect petit') as string, epoch: 1 });
    expect(control.left).toHaveLength(1);
  });
});

it('a worker that the cluster does not take ends with its sentence', async () => {
  control.refusal = new AppError('failed_precondition', 'worker w1 keeps keys and values as bf16, and the others as f32');
  await expect(run({})).rejects.toMatchObject({ code: 'failed_precondition', message: control.refusal.message });
  expect(control.left).toEqual([]);
});
