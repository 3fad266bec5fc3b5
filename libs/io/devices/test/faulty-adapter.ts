import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDriver } from './compiled-driver.ts';
import { softwareAdapter } from './software-adapter.ts';

export interface FaultyAdapter extends Disposable {
  /** Variables under which a process finds this adapter and no other. */
  readonly environment: Readonly<Record<string, string>>;
  /** The process that computes next on it has lost it from then on; one that starts later finds it again. */
  lose(): void;
  /** From now on nobody gets memory on it. */
  fill(): void;
  /** There is memory again. */
  empty(): void;
}

/** SwiftShader behind a driver that fails when it is told to. Null without SwiftShader or a C compiler; in CI a failure. */
export function faultyAdapter(): FaultyAdapter | null {
  const software = softwareAdapter();
  if (software === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'essaim-driver-'));
  const [loss, full] = ['loss', 'full'].map((name) => join(folder, name)) as [string, string];
  const defined = { LOSS: loss, FULL: full, REAL_DRIVER: join(software['LD_LIBRARY_PATH']!, 'libvk_swiftshader.so') };
  // The version that SwiftShader's own says: of drivers that say a later one the loader asks more.
  const description = compileDriver({ folder, name: 'driver', source: 'faulty-driver.c', defined, apiVersion: '1.0.5' });
  if (description === null) {
    rmSync(folder, { recursive: true });
    return null;
  }
  return {
    environment: { ...software, VK_ICD_FILENAMES: description },
    lose: () => writeFileSync(loss, ''),
    fill: () => writeFileSync(full, ''),
    empty: () => rmSync(full),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
