import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readTlsFiles } from './index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-tls-'));
  vi.stubEnv('ESSAIM_TLS_DIR', folder);
  vi.stubEnv('ESSAIM_TLS_NAME', 'worker-1');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const put = (file: string): void => writeFileSync(join(folder, file), `text of ${file}`);

describe('readTlsFiles', () => {
  it('reads the authority and the pair that the process is named after', () => {
    ['ca.pem', 'worker-1.pem', 'worker-1.key', 'worker-2.key'].forEach(put);
    expect(readTlsFiles()).toEqual({ caPem: 'text of ca.pem', certificatePem: 'text of worker-1.pem', privateKeyPem: 'text of worker-1.key' });
  });

  it.each(['ca.pem', 'worker-1.pem', 'worker-1.key'])('names %s when that is missing', (missing) => {
    ['ca.pem', 'worker-1.pem', 'worker-1.key'].filter((file) => file !== missing).forEach(put);
    expect(readTlsFiles).toThrow(expect.objectContaining({
      code: 'failed_precondition',
      message: `the certificate file ${missing} in ESSAIM_TLS_DIR can't be read: every process needs ca.pem, worker-1.pem and worker-1.key`,
    }));
  });

  it('names the variable that is missing', () => {
    vi.stubEnv('ESSAIM_TLS_NAME', undefined);
    expect(readTlsFiles).toThrow('the variable ESSAIM_TLS_NAME is missing');
  });
});
