import { hostname } from 'node:os';
import { AppError, type ComputeDtype, type DeviceInfo } from '@essaim/core';
import { chooseDevice, type DeviceChoice, deviceName, listDevices, type TestedDevice } from '@essaim/devices';
import { type Logger } from '@essaim/telemetry';

/** Finds the device that this worker is told to take, and sets this process up to find it in its place. Fails with `failed_precondition`, and the reason, where it can't be used. */
export async function takeDevice(choice: DeviceChoice, logger: Logger): Promise<TestedDevice> {
  const { device, sentence } = chooseDevice(choice, await listDevices(new URL('./probe.process.js', import.meta.url), [choice]));
  logger.info(sentence);
  // Drivers read these when they are loaded, which is later.
  Object.assign(process.env, device.environment);
  return device;
}

/** Refuses with `failed_precondition` what the device can't compute in; one of which that is not known is believed to. */
export function assertComputes(device: TestedDevice, compute: ComputeDtype): void {
  if (compute === 'f16' && device.f16 === false) throw new AppError('failed_precondition', `the device ${deviceName(device)} (${device.adapter}) does not compute in float16: leave out --compute-dtype f16, or choose another --device`);
}

/** What this worker says of its device when it joins. */
export function describeDevice({ provider, index, adapter, pciBusId, nvlink, uploadBytesPerSecond }: TestedDevice, limits: Pick<DeviceInfo, 'threads' | 'memoryBytes'>): DeviceInfo {
  // A domain is an island within its host.
  const nvlinkDomain = nvlink === null ? null : `${hostname()}/${nvlink.domain}`;
  return { kind: provider, name: adapter, ...limits, card: provider === 'cpu' ? null : { index, pciBusId, nvlinkDomain, uploadBytesPerSecond } };
}
