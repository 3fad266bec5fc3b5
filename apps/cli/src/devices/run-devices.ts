import { listDevices } from '@essaim/devices';
import { PROBE_ENTRY } from './probe-entry.ts';
import { textReport } from './text-report.ts';

export interface DevicesFlags {
  readonly json?: true;
}

/** `essaim devices`: looks, tries, prints. */
export async function runDevices({ json }: DevicesFlags): Promise<void> {
  const found = await listDevices(PROBE_ENTRY);
  process.stdout.write(`${json ? JSON.stringify(found, null, 2) : textReport(found)}\n`);
}
