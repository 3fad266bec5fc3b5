import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mintCertificates, type Owners, provideCertificates } from './certificates.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-tls-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const OWNERS: Owners = { workerIds: ['w1', 'w2'], host: '127.0.0.1' };

it('gives each process its own key that only the owner reads, and keeps no key of the authority', async () => {
  await mintCertificates(folder, OWNERS);
  const names = ['control-plane', 'gateway', 'worker-w1', 'worker-w2'];
  expect(readdirSync(folder).sort()).toEqual(['ca.pem', ...names.flatMap((name) => [`${name}.key`, `${name}.pem`])]);
  const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')));
  for (const name of names) {
    expect(statSync(join(folder, `${name}.key`)).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(readFileSync(join(folder, `${name}.pem`))).verify(authority.publicKey)).toBe(true);
  }
});

describe('certificates of an earlier start', () => {
  const authority = (): string => readFileSync(join(folder, 'ca.pem'), 'utf8');

  /** Whether the second of two starts found them good. */
  async function areKept(second: Owners, between: () => unknown = () => undefined): Promise<boolean> {
    await provideCertificates(folder, OWNERS);
    const before = authority();
    between();
    await provideCertificates(folder, second);
    return authority() === before;
  }

  it.each<[string, Owners]>([['the same processes', OWNERS], ['fewer of them', { ...OWNERS, workerIds: ['w2'] }], ['a name of the loopback host', { ...OWNERS, host: 'localhost' }]])('stay for %s', async (_for, second) => {
    expect(await areKept(second)).toBe(true);
  });

  it.each<[string, Owners]>([['another worker', { ...OWNERS, workerIds: ['w1', 'w3'] }], ['another host', { ...OWNERS, host: '192.0.2.7' }]])('are made new for %s', async (_for, second) => {
    expect(await areKept(second)).toBe(false);
  });

  it.each<[string, () => void]>([
    ['a damaged one', () => truncateSync(join(folder, 'gateway.pem'), 100)],
    ['a missing key', () => rmSync(join(folder, 'worker-w1.key'))],
    ['the key of another', () => copyFileSync(join(folder, 'worker-w1.key'), join(folder, 'worker-w2.key'))],
    ['the name of another', () => ['key', 'pem'].forEach((kind) => copyFileSync(join(folder, `worker-w1.${kind}`), join(folder, `worker-w2.${kind}`)))],
  ])('are made new where there is %s', async (_what, between) => {
    expect(await areKept(OWNERS, between)).toBe(false);
  });
});
