import { AppError } from '@essaim/core';
import { type HostDevice, type Provider, PROVIDERS } from './device.ts';

/** What a worker is told to compute on: one device by its name, or the best that passes its test. */
export type DeviceChoice = { readonly kind: 'auto' } | { readonly kind: 'named'; readonly provider: Provider; readonly index: number };

/** `cpu`, `webgpu`, `cuda:1`, `auto`: without a number the provider's first. Fails with `invalid_argument`. */
export function parseDeviceChoice(text: string): DeviceChoice {
  if (text === 'auto') return { kind: 'auto' };
  const { provider: name, index = '0' } = /^(?<provider>[a-z]+)(:(?<index>\d{1,3}))?$/.exec(text)?.groups ?? {};
  const provider = PROVIDERS.find((each) => each === name);
  if (provider === undefined || (provider === 'cpu' && text !== 'cpu')) throw new AppError('invalid_argument', `'${text}' is no device: give auto, cpu, or ${PROVIDERS.slice(1).join(', ')} with :n for others than the first`);
  return { kind: 'named', provider, index: Number(index) };
}

/** `webgpu:1`, as people name a device. */
export const deviceName = ({ provider, index }: Pick<HostDevice, 'provider' | 'index'>): string => (provider === 'cpu' ? 'cpu' : `${provider}:${index}`);
