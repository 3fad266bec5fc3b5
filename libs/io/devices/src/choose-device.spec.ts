import { describe, expect, it } from 'vitest';
import { allDevices, chooseDevice } from './choose-device.ts';
import { deviceName, parseDeviceChoice } from './device-choice.ts';
import { type HostDevices, type TestedDevice } from './list-devices.ts';

const device = (provider: TestedDevice['provider'], changes: Partial<TestedDevice> = {}): TestedDevice => ({
  provider, index: 0, adapter: `a ${provider} device`, kind: provider === 'cpu' ? 'processor' : 'gpu', memoryBytes: 1, tensorBytes: null, f16: true, subgroupSize: 32, driver: 'a driver', pciBusId: null, nvlink: null, fault: null, uploadBytesPerSecond: null, environment: {}, ...changes,
});
const CPU = device('cpu');
const host = (devices: readonly TestedDevice[], unusable: HostDevices['unusable'] = []): HostDevices => ({ devices: [CPU, ...devices], unusable });
const chosen = (text: string, on: HostDevices): string => chooseDevice(parseDeviceChoice(text), on).sentence;

describe('auto', () => {
  it('takes CUDA before WebGPU, and has nothing to excuse', () => {
    expect(chosen('auto', host([device('webgpu'), device('cuda'), device('tensorrt')]))).toBe('computes on cuda:0 (a cuda device)');
  });

  it('takes what passes its test, and says why nothing better was taken', () => {
    const on = host([device('webgpu', { index: 0, fault: 'the driver did not answer within 60 s' }), device('webgpu', { index: 1 })], [{ provider: 'cuda', reason: 'libcudart.so.12 is not installed' }]);
    expect(chosen('auto', on)).toBe('computes on webgpu:1 (a webgpu device); not cuda: libcudart.so.12 is not installed');
  });

  it('never takes a driver that computes on the processor', () => {
    const on = host([device('webgpu', { kind: 'software' })], [{ provider: 'cuda', reason: 'none is installed' }]);
    expect(chosen('auto', on)).toBe('computes on cpu (a cpu device); not cuda: none is installed; not webgpu: a webgpu device computes on the processor');
  });
});

describe('a named device', () => {
  it('is taken, software too', () => expect(chosen('webgpu', host([device('webgpu', { kind: 'software' })]))).toBe('computes on webgpu:0 (a webgpu device)'));

  it.each([
    ['cuda', /^there is no device cuda:0 here: none is installed$/], ['webgpu:2', /^there is no device webgpu:2 here: webgpu has webgpu:0, webgpu:1$/], ['webgpu:1', /^the device webgpu:1 can't be used: it crashed$/],
  ])('%s is refused with the reason where it can\'t be used', (text, reason) => {
    const on = host([device('webgpu'), device('webgpu', { index: 1, fault: 'it crashed' })], [{ provider: 'cuda', reason: 'none is installed' }]);
    expect(() => chosen(text, on)).toThrow(reason);
  });
});

describe('all devices', () => {
  const names = (on: HostDevices): string[] => allDevices(on).map(deviceName);

  it('are each card once, whoever reaches it', () => {
    const nvidia = (provider: 'cuda' | 'webgpu', index: number): TestedDevice => device(provider, { index, pciBusId: `0000:${index}b:00.0` });
    expect(names(host([nvidia('webgpu', 0), nvidia('webgpu', 1), device('webgpu', { index: 2, pciBusId: '0000:c1:00.0' }), nvidia('cuda', 0), nvidia('cuda', 1)]))).toEqual(['cuda:0', 'cuda:1', 'webgpu:2']);
  });

  it('are the processor where there is nothing else of use', () => {
    expect(names(host([device('webgpu', { kind: 'software' }), device('cuda', { fault: 'it crashed' })]))).toEqual(['cpu']);
  });
});
