import { extname } from 'node:path';
import { listDevices } from '@essaim/devices';
import { textReport } from './text-report.ts';

export interface DevicesFlags {
  readonly json?: true;
}

/** Beside this file, from source as well as bundled. */
const PROBE = new URL(`./probe.process${extname(import.meta.filename)}`, import.meta.url);

/** `essaim devices`: looks, tries, prints. */
export async function runDevices({ json }: DevicesFlags): Promise<void> {
  const found = await listDevices(PROBE);
  process.stdout.write(`${json ? JSON.stringify(found, null, 2) : textReport(found)}\n`);
}
