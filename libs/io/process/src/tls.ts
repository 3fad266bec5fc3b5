import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { textVariable } from './environment.ts';

/** PEM texts, as `@essaim/rpc` takes them. */
export interface TlsFiles {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** This process's certificate: `ca.pem`, NAME.pem and NAME.key in ESSAIM_TLS_DIR, where NAME is ESSAIM_TLS_NAME. */
export function readTlsFiles(): TlsFiles {
  const folder = textVariable('ESSAIM_TLS_DIR');
  const name = textVariable('ESSAIM_TLS_NAME');
  const read = (file: string): string => {
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch (cause) {
      throw new AppError('failed_precondition', `the certificate file ${file} in ESSAIM_TLS_DIR can't be read: every process needs ca.pem, ${name}.pem and ${name}.key`, { cause });
    }
  };
  return { caPem: read('ca.pem'), certificatePem: read(`${name}.pem`), privateKeyPem: read(`${name}.key`) };
}
