import { type AppError } from '@essaim/core';
import { type Device } from './device.ts';
import { deviceError, DeviceLost } from './device-error.ts';

/** A device that sessions compute on until it is lost. From then on all of them refuse at once: runs whose outputs stay on a lost device seem to succeed. */
export class OpenDevice {
  readonly device: Device;
  #lost: DeviceLost | null = null;

  constructor(device: Device) {
    this.device = device;
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Fails with `DeviceLost` once it is. */
  assertThere(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** What ONNX Runtime threw, as an error of ours; it may say that the device is lost. */
  errorOf(thrown: unknown): AppError {
    const error = deviceError(this.device, thrown);
    if (error instanceof DeviceLost) this.#lost ??= error;
    return error;
  }
}
