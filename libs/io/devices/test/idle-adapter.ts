import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { compileDriver } from './compiled-driver.ts';
import { softwareAdapter } from './software-adapter.ts';

/** What a driver was asked since it was loaded. */
export interface Asked {
  /** Kernels that were to run. */
  readonly dispatches: number;
  /** Lists of commands that were handed over. */
  readonly submits: number;
}

export interface IdleAdapter extends Disposable {
  /** Variables under which a process finds this adapter and no other. */
  readonly environment: Readonly<Record<string, string>>;
  /** By this process. */
  asked(): Asked;
}

/** SwiftShader behind a driver that dispatches nothing: every number that comes back is 0. Null without SwiftShader or a C compiler; in CI a failure. */
export function idleAdapter(): IdleAdapter | null {
  const software = softwareAdapter();
  if (software === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'essaim-driver-'));
  const description = compileDriver({ folder, name: 'driver', source: 'idle-driver.c', defined: { REAL_DRIVER: join(software['LD_LIBRARY_PATH']!, 'libvk_swiftshader.so') }, apiVersion: '1.0.5' });
  if (description === null) {
    rmSync(folder, { recursive: true });
    return null;
  }
  const { ICD } = JSON.parse(readFileSync(description, 'utf8')) as { readonly ICD: { readonly library_path: string } };
  const library = koffi.load(ICD.library_path);
  const [dispatches, submits] = [library.func('uint32_t dispatches_asked()'), library.func('uint32_t submits_asked()')];
  return {
    environment: { ...software, VK_ICD_FILENAMES: description },
    asked: () => ({ dispatches: dispatches() as number, submits: submits() as number }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
