import { AppError } from '@essaim/core';
import { type HostDevice, type Provider, PROVIDERS } from './device.ts';

/** What a worker is told to compute on: one device by its name, or the best that passes its test. */
export type DeviceChoice = { readonly kind: 'auto' } | NamedDevice;

export interface NamedDevice {
  readonly kind: 'named';
  readonly provider: Provider;
  readonly index: number;
}

/** `cpu`, `webgpu`, `cuda:1`, `auto`: without a number the provider's first. Fails with `invalid_argument`. */
export function parseDeviceChoice(text: string): DeviceChoice {
  if (text === 'auto') return { kind: 'auto' };
  const { provider: name, index = '0' } = /^(?<provider>[a-z]+)(:(?<index>\d{1,3}))?$/.exec(text)?.groups ?? {};
  const provider = PROVIDERS.find((each) => each === name);
  if (provider === undefined || (provider === 'cpu' && text !== 'cpu')) throw new AppError('invalid_argument', `'${text}' is no device: give auto, cpu, or ${PROVIDERS.slice(1).join(', ')} with :n for others than the first`);
  return { kind: 'named', provider, index: Number(index) };
}

/** `all`, or devices by their names with commas between: `webgpu:0,webgpu:2`. Fails with `invalid_argument`. */
export function parseDevices(text: string): 'all' | readonly NamedDevice[] {
  if (text === 'all') return text;
  return text.split(',').map(parseDeviceChoice).map((choice) => {
    if (choice.kind === 'auto') throw new AppError('invalid_argument', `'${text}' names no devices: give all, or names with commas between`);
    return choice;
  });
}

/** `webgpu:1`, as people name a device. */
export const deviceName = ({ provider, index }: Pick<HostDevice, 'provider' | 'index'>): string => (provider === 'cpu' ? 'cpu' : `${provider}:${index}`);
