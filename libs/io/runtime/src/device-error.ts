import { AppError } from '@essaim/core';
import { type Device, deviceName } from './device.ts';

/** The device has gone (driver reset, unplugged): nothing computes on it in this process again. */
export class DeviceLost extends AppError {
  constructor(device: Device, cause: unknown) {
    super('unavailable', `the device ${deviceName(device)} was lost: its worker starts again, and if that repeats see the driver's log`, { cause });
  }
}

/** What Dawn and CUDA say of a device that has gone, and of one whose memory is full. */
const LOST = /device (is |was )?lost|devicelost|vk_error_device_lost|external instance reference|cuda(_error|error)?.{0,40}(device unavailable|illegal memory access|unspecified launch failure|ecc uncorrectable)/iu;
const FULL = /out of memory|out_of_memory|outofmemory|failed to allocate|exceeds the max buffer size|bfcarena|vk_error_out_of_(device|host)_memory/iu;

/** What ONNX Runtime threw, as an error of ours. */
export function deviceError(device: Device, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (LOST.test(text)) return new DeviceLost(device, thrown);
  if (FULL.test(text)) return new AppError('resource_exhausted', `the memory of the device ${deviceName(device)} is full: give keys and values less of it, or use more workers or a smaller dtype`, { cause: thrown });
  return new AppError('internal', `the device ${deviceName(device)} could not compute a step`, { cause: thrown });
}
