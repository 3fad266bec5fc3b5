import { allDevices, chooseDevice, type DeviceChoice, deviceName, listDevices, type NamedDevice, type TestedDevice } from '@essaim/devices';
import { PROBE_ENTRY } from '../devices/probe-entry.ts';

/** What a worker is told to compute on. */
export interface WorkerDevice {
  readonly name: string;
  /** That weights, keys and values may take of it; null for a share of the host's. */
  readonly memoryBytes: number | null;
}

/** What was asked for. */
export interface DeviceFlags {
  readonly device: DeviceChoice;
  readonly devices?: 'all' | readonly NamedDevice[];
  readonly workers: number;
}

/** The rest is for what a step computes, and for the driver. */
const CARD_SHARE = 0.85;

/** So many workers that share the processor. */
export const processors = (workers: number): WorkerDevice[] => Array.from({ length: workers }, () => ({ name: 'cpu', memoryBytes: null }));

/** A device for each worker, and a sentence for whoever wonders why these. Fails with `failed_precondition` where a device can't be used. */
export async function findWorkerDevices({ device: choice, devices, workers }: DeviceFlags): Promise<{ readonly devices: readonly WorkerDevice[]; readonly notes: readonly string[] }> {
  if (devices !== undefined) {
    const found = await severalDevices(devices);
    const workersOn = (device: TestedDevice): number => found.filter((each) => deviceName(each) === deviceName(device)).length;
    return { devices: found.map((device) => shareOf(device, workersOn(device))), notes: [`one worker for each device: ${found.map(deviceName).join(', ')}`] };
  }
  if (choice.kind === 'named' && choice.provider === 'cpu') return { devices: processors(workers), notes: [] };
  const { device, sentence } = chooseDevice(choice, await listDevices(PROBE_ENTRY, [choice]));
  return { devices: Array.from({ length: workers }, () => shareOf(device, workers)), notes: [`each worker ${sentence}`] };
}

/** All of this host, or those named, in that order; one that is named twice is shared. */
async function severalDevices(devices: 'all' | readonly NamedDevice[]): Promise<readonly TestedDevice[]> {
  if (devices === 'all') return allDevices(await listDevices(PROBE_ENTRY));
  const host = await listDevices(PROBE_ENTRY, devices);
  return devices.map((choice) => chooseDevice(choice, host).device);
}

/** One of so many workers' on a device. */
export function shareOf(device: TestedDevice, workers: number): WorkerDevice {
  const memoryBytes = device.provider === 'cpu' || device.memoryBytes === null ? null : Math.floor((device.memoryBytes * CARD_SHARE) / workers);
  return { name: deviceName(device), memoryBytes };
}
