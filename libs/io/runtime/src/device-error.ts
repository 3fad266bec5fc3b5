import { AppError } from '@essaim/core';
import { type Device, deviceName } from './device.ts';

/** Nothing computes on the device in this process again: it has gone (driver reset, unplugged), or what ONNX Runtime holds on it is no longer sound. */
export class DeviceLost extends AppError {}

/** ONNX Runtime has texts alone for what goes wrong: Dawn's, CUDA's and its own. The first of these was seen, with a driver that loses its device when it is told to. */
const LOST = /\[device[^\]]*\] is lost|device lost|vk_error_device_lost|external instance reference|cuda(_error|error)?.{0,40}(device unavailable|illegal memory access|unspecified launch failure|ecc uncorrectable)/iu;
/** A buffer that could not be made goes into ONNX Runtime's cache of buffers all the same, and comes out of it long after there is room again. */
const UNSOUND = /\[invalid buffer/iu;
const FULL = /out of memory|out_of_memory|failed to allocate|bfcarena/iu;
const MAKE_ROOM = 'give keys and values less of it, or use more workers or a smaller dtype';

/** What ONNX Runtime threw, as an error of ours. */
export function deviceError(device: Device, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const name = deviceName(device);
  if (LOST.test(text)) return new DeviceLost('unavailable', `the device ${name} was lost: its worker starts again, and if that repeats see the driver's log, or give keys and values less of its memory, without which drivers end like this, too`, { cause: thrown });
  if (UNSOUND.test(text)) return new DeviceLost('resource_exhausted', `the memory of the device ${name} ran full: its worker starts again, and if that repeats ${MAKE_ROOM}`, { cause: thrown });
  if (FULL.test(text)) return new AppError('resource_exhausted', `the memory of the device ${name} is full: ${MAKE_ROOM}`, { cause: thrown });
  return new AppError('internal', `the device ${name} could not compute a step`, { cause: thrown });
}
