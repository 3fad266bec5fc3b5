import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDriver } from './compiled-driver.ts';
import { lavapipe } from './lavapipe.ts';

export interface Cards extends Disposable {
  /** Variables under which a process finds them and no other adapter. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What NVIDIA's program tells of such a host. */
export interface RecordedSmi {
  /** The answer to --query-gpu. */
  readonly gpus: string;
  /** And to topo -m. */
  readonly topology: string;
}

/** A host with one card on each of these PCI buses: lavapipe behind drivers that say so. Null without lavapipe or a C compiler; in CI a failure. */
export function cards(buses: readonly number[], smi: RecordedSmi): Cards | null {
  const driver = lavapipe();
  if (driver === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'essaim-cards-'));
  const descriptions = buses.map((bus) => compileDriver({ folder, name: `card-${bus}`, source: 'card-driver.c', defined: { REAL_DRIVER: driver.library, BUS: bus }, apiVersion: '1.3.0' }));
  const dispose = (): void => rmSync(folder, { recursive: true });
  if (descriptions.includes(null)) {
    dispose();
    return null;
  }
  return { environment: { ...driver.environment, VK_ICD_FILENAMES: descriptions.join(':'), PATH: withSmi(folder, smi) }, [Symbol.dispose]: dispose };
}

/** Puts a program in the folder that answers as NVIDIA's did. Returns a PATH that finds it first. */
export function withSmi(folder: string, { gpus, topology }: RecordedSmi): string {
  const path = join(folder, 'nvidia-smi');
  const answer = (text: string): string => `cat <<'END'\n${text}END\n;;`;
  writeFileSync(path, `#!/bin/sh\ncase "$1" in\n--query-gpu=*) ${answer(gpus)}\ntopo) ${answer(topology)}\nesac\n`);
  chmodSync(path, 0o755);
  return `${folder}:${process.env['PATH']}`;
}
