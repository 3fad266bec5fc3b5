import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { mintCertificates } from './certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'essaim-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('gives each process its own key that only the owner reads, and keeps no key of the authority', async () => {
  await mintCertificates(folder, { workerIds: ['w1', 'w2'], host: '127.0.0.1' });
  const names = ['control-plane', 'gateway', 'worker-w1', 'worker-w2'];
  expect(readdirSync(folder).sort()).toEqual(['ca.pem', ...names.flatMap((name) => [`${name}.key`, `${name}.pem`])]);
  const authority = new X509Certificate(readFileSync(join(folder, 'ca.pem')));
  for (const name of names) {
    expect(statSync(join(folder, `${name}.key`)).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(readFileSync(join(folder, `${name}.pem`))).verify(authority.publicKey)).toBe(true);
  }
});
