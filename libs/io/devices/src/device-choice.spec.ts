import { describe, expect, it } from 'vitest';
import { deviceName, parseDeviceChoice, parseDevices } from './device-choice.ts';

describe('the choice of a device', () => {
  it.each([
    ['auto', { kind: 'auto' }], ['cpu', { kind: 'named', provider: 'cpu', index: 0 }], ['webgpu', { kind: 'named', provider: 'webgpu', index: 0 }],
    ['cuda:1', { kind: 'named', provider: 'cuda', index: 1 }], ['tensorrt:12', { kind: 'named', provider: 'tensorrt', index: 12 }],
  ])('is read from %s', (text, choice) => expect(parseDeviceChoice(text)).toEqual(choice));

  it.each(['', 'gpu', 'cuda:', 'cuda:-1', 'cuda:1.5', 'cuda 1', 'CUDA', 'cpu:0', 'auto:1', 'webgpu:1000', 'cuda:1:2'])('is refused when it is %j', (text) => {
    expect(() => parseDeviceChoice(text)).toThrow(`'${text}' is no device: give auto, cpu, or webgpu, cuda, tensorrt with :n for others than the first`);
  });
});

it('several devices are all, or some by their names', () => {
  expect(parseDevices('all')).toBe('all');
  const names = (text: string): string[] => (parseDevices(text) as Exclude<ReturnType<typeof parseDevices>, 'all'>).map(deviceName);
  expect([names('webgpu:2,cuda'), names('cpu')]).toEqual([['webgpu:2', 'cuda:0'], ['cpu']]);
  expect(() => parseDevices('cpu,auto')).toThrow("'cpu,auto' names no devices: give all, or names with commas between");
  expect(() => parseDevices('cpu, webgpu')).toThrow("' webgpu' is no device");
});

it.each([['cpu', 0, 'cpu'], ['cuda', 0, 'cuda:0'], ['webgpu', 3, 'webgpu:3']] as const)('%s %i is called %s', (provider, index, name) => {
  expect(deviceName({ provider, index })).toBe(name);
});
