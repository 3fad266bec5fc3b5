import { expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { type Device } from './device.ts';
import { deviceError, DeviceLost } from './device-error.ts';

const DEVICE: Device = { provider: 'cuda', index: 1 };

it.each(['Failed to download data from buffer. wgpu::MapAsyncStatus value: 4, message: [Device] is lost.', '[Device "of a worker"] is lost.', 'WebGPU device lost (2): A valid external Instance reference no longer exists.', 'VK_ERROR_DEVICE_LOST', 'CUDA failure 700: an illegal memory access was encountered; CUDA_ERROR: illegal memory access'])('%s: the device is lost', (text) => {
  expect(deviceError(DEVICE, new Error(text))).toBeInstanceOf(DeviceLost);
  expect(deviceError(DEVICE, new Error(text))).toMatchObject({ code: 'unavailable', message: expect.stringContaining('cuda:1 was lost') as string });
});

it.each(['BFCArena::AllocateRawInternal Failed to allocate memory', 'CUDA failure 2: out of memory'])('%s: its memory is full', (text) => {
  expect(deviceError(DEVICE, new Error(text))).toMatchObject({ code: 'resource_exhausted', message: expect.not.stringContaining(text) as string });
});

it('a buffer that WebGPU had no memory for stays where it was asked for, so the device is of no more use', () => {
  const error = deviceError(DEVICE, new Error('WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.'));
  expect(error).toBeInstanceOf(DeviceLost);
  expect(error).toMatchObject({ code: 'resource_exhausted', message: expect.stringContaining('the memory of the device cuda:1 ran full') as string });
});

it('anything else is a fault whose text stays inside', () => {
  expect(deviceError(DEVICE, new Error('/path/in/the/library.cc:12 broke'))).toMatchObject({ code: 'internal', message: 'the device cuda:1 could not compute a step' });
});

it('what is an error of ours already stays it', () => {
  const known = new AppError('data_loss', 'it is gone');
  expect(deviceError(DEVICE, known)).toBe(known);
});
