import { AppError, assert } from '@essaim/core';
import { type DeviceChoice, deviceName } from './device-choice.ts';
import { type Provider } from './device.ts';
import { type HostDevices, type TestedDevice } from './list-devices.ts';

export interface ChosenDevice {
  readonly device: TestedDevice;
  /** One line: what was taken, and why nothing better was. */
  readonly sentence: string;
}

/** What `auto` would rather have first. TensorRT builds each graph for minutes: it is taken by name alone. */
const PREFERENCE = ['cuda', 'webgpu', 'cpu'] as const satisfies readonly Provider[];

/** The device that is asked for. Fails with `failed_precondition`, and the reason, where that can't be used; `auto` always ends at the processor. */
export function chooseDevice(choice: DeviceChoice, host: HostDevices): ChosenDevice {
  return choice.kind === 'auto' ? best(host) : named(deviceName(choice), host);
}

/** Every device that computes models well, one name for each card: CUDA's where it has one. The processor counts where there is no other. */
export function allDevices(host: HostDevices): readonly TestedDevice[] {
  const usable = PREFERENCE.flatMap((provider) => host.devices.filter((device) => device.provider === provider && isGood(device)));
  const cards = usable.filter(({ provider, pciBusId }, nth) => provider !== 'cpu' && !(pciBusId !== null && usable.slice(0, nth).some((other) => other.pciBusId === pciBusId)));
  return cards.length > 0 ? cards : usable;
}

function best(host: HostDevices): ChosenDevice {
  const device = PREFERENCE.flatMap((provider) => host.devices.filter((each) => each.provider === provider && isGood(each)))[0];
  assert(device, 'every host has a processor');
  const better = PREFERENCE.slice(0, (PREFERENCE as readonly Provider[]).indexOf(device.provider));
  const whyNot = better.map((provider) => `${provider}: ${whyUnused(provider, host)}`);
  return { device, sentence: [`computes on ${deviceName(device)} (${device.adapter})`, ...whyNot].join('; not ') };
}

function named(name: string, host: HostDevices): ChosenDevice {
  const device = host.devices.find((each) => deviceName(each) === name);
  if (device === undefined) throw new AppError('failed_precondition', `there is no device ${name} here: ${whyAbsent(name, host)}`);
  if (device.fault !== null) throw new AppError('failed_precondition', `the device ${name} can't be used: ${device.fault}`);
  return { device, sentence: `computes on ${name} (${device.adapter})` };
}

const isGood = ({ fault, kind }: TestedDevice): boolean => fault === null && kind !== 'software';

function whyUnused(provider: Provider, { devices, unusable }: HostDevices): string {
  const absent = unusable.find((each) => each.provider === provider);
  if (absent !== undefined) return absent.reason;
  return devices.filter((each) => each.provider === provider).map((each) => each.fault ?? `${each.adapter} computes on the processor`).join(', ');
}

function whyAbsent(name: string, { devices, unusable }: HostDevices): string {
  const provider = name.split(':')[0];
  const absent = unusable.find((each) => each.provider === provider);
    const others = devices.filter((each) => each.provider === provider).map(deviceName).join(', ');
  return absent?.reason ?? (others === '' ? '`essaim devices` lists what there is' : `${provider} has ${others}`);
}
