import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type ClusterRole, type IssuedCertificate } from '@essaim/auth';
import { connectControlPlane } from '@essaim/rpc';
import { createLogger } from '@essaim/telemetry';
import { issueTestCertificates, registration } from '../test/samples.ts';
import { runControlPlane } from './run-control-plane.ts';

const PETIT = join(import.meta.dirname, '../../../deploy/models/petit');
const logger = createLogger({ component: 'test', level: 'silent' });
const NEVER = new AbortController().signal;

let certificates: Record<ClusterRole, IssuedCertificate>;
let folder: string;

beforeAll(async () => void (certificates = await issueTestCertificates()));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-control-plane-'));
  const own = certificates['control-plane'];
  writeFileSync(join(folder, 'ca.pem'), own.caPem);
  writeFileSync(join(folder, 'control-plane.pem'), own.certificatePem);
  writeFileSync(join(folder, 'control-plane.key'), own.privateKeyPem);
  for (const [name, value] of Object.entries({
    ESSAIM_MODEL: PETIT, ESSAIM_MODEL_ID: 'petit', ESSAIM_DTYPE: 'float32', ESSAIM_DETERMINISTIC: '0', ESSAIM_EXPECTED_WORKERS: '1', ESSAIM_REPLICAS: '1',
    ESSAIM_STATE_DIR: folder, ESSAIM_TLS_DIR: folder, ESSAIM_TLS_NAME: 'control-plane', ESSAIM_HOST: '127.0.0.1', ESSAIM_ADMIN_PORT: '0', ESSAIM_CONTROL_PORT: '0',
  })) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

interface Ports {
  readonly adminPort: number;
  readonly controlPort: number;
}

/** Runs it with this test as the parent that hears where it listens. */
async function start(stop: AbortSignal): Promise<{ readonly ports: Ports; readonly ended: Promise<void> }> {
  const { promise, resolve, reject } = Promise.withResolvers<Ports>();
  let told = {};
  vi.spyOn(process as { send: (...sent: unknown[]) => boolean }, 'send').mockImplementation((message, ...rest) => {
    told = { ...told, ...(message as object) };
    if ('adminPort' in told) resolve(told as Ports);
    (rest.at(-1) as () => void)();
    return true;
  });
  const ended = runControlPlane(stop, logger);
  ended.catch(reject);
  return { ports: await promise, ended };
}

it('comes up from its environment, serves both ports, and closes everything when told to stop', async () => {
  const stop = new AbortController();
  const { ports, ended } = await start(stop.signal);
  const control = connectControlPlane(`127.0.0.1:${ports.controlPort}`, { tls: certificates.worker });
  await control.join(registration('w1'), NEVER);
  for await (const snapshot of control.watch(NEVER)) {
    expect(snapshot).toMatchObject({ epoch: 1, model: { id: 'petit', directory: PETIT, dtype: 'float32', deterministic: false }, workers: [{ id: 'w1' }] });
    expect(snapshot.placement.flat(2).length).toBe(48);
    break;
  }
  const models = await (await fetch(`http://127.0.0.1:${ports.adminPort}/api/v1/models`)).json();
  expect(models).toMatchObject({ models: [{ id: 'petit', family: 'mixtral', layerCount: 6, expertCount: 8 }] });
  stop.abort();
  await ended;
  control.close();
  await expect(fetch(`http://127.0.0.1:${ports.adminPort}/livez`)).rejects.toThrow();
  expect(readdirSync(folder)).toContain('store.sqlite');
});

it.each([
  ['a missing variable', 'ESSAIM_MODEL_ID', '', /ESSAIM_MODEL_ID is missing/],
  ['a dtype that does not exist', 'ESSAIM_DTYPE', 'float8', /one of float32, int8, int4/],
  ['a folder that is no model', 'ESSAIM_MODEL', '/nowhere', /nowhere/],
  ['a missing certificate', 'ESSAIM_TLS_NAME', 'nobody', /nobody\.key/],
])('refuses %s in a sentence', async (_what, name, value, sentence) => {
  vi.stubEnv(name, value);
  await expect(runControlPlane(NEVER, logger)).rejects.toThrow(expect.objectContaining({ name: 'AppError', message: expect.stringMatching(sentence) as string }));
});

it('names either port when it is taken', async () => {
  const stop = new AbortController();
  const { ports, ended } = await start(stop.signal);
  for (const [variable, port] of [['ESSAIM_ADMIN_PORT', ports.adminPort], ['ESSAIM_CONTROL_PORT', ports.controlPort]] as const) {
    vi.stubEnv(variable, String(port));
    await expect(runControlPlane(NEVER, logger)).rejects.toThrow(`port 127.0.0.1:${port} is taken`);
    vi.stubEnv(variable, '0');
  }
  stop.abort();
  await ended;
});
