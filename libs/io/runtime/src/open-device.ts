import { type AppError, type DeviceUse, NO_DEVICE_USE } from '@essaim/core';
import { type Device } from './device.ts';
import { deviceError, DeviceLost } from './device-error.ts';

/** A device that sessions compute on until it is lost. From then on all of them refuse at once: runs whose outputs stay on a lost device seem to succeed. */
export class OpenDevice {
  readonly device: Device;
  #lost: DeviceLost | null = null;
  #use: DeviceUse = NO_DEVICE_USE;

  constructor(device: Device) {
    this.device = device;
  }

  /** What was asked of it so far. */
  get use(): DeviceUse {
    return this.#use;
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Fails with `DeviceLost` once it is. */
  assertThere(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** Of one run; `tookMs` from asking until it was handed over, or until its answer was there. */
  count({ tookMs, uploadedBytes, downloadedBytes }: { readonly tookMs: number; readonly uploadedBytes: number; readonly downloadedBytes: number }): void {
    const { runs, answers, waited, ...bytes } = this.#use;
    const isAnswer = downloadedBytes > 0;
    this.#use = {
      runs: runs + 1, answers: answers + (isAnswer ? 1 : 0), waited: waited + (isAnswer ? Math.round(1_000 * tookMs) : 0),
      uploadedBytes: bytes.uploadedBytes + uploadedBytes, downloadedBytes: bytes.downloadedBytes + downloadedBytes,
    };
  }

  /** What ONNX Runtime threw, as an error of ours; it may say that the device is lost. */
  errorOf(thrown: unknown): AppError {
    const error = deviceError(this.device, thrown);
    if (error instanceof DeviceLost) this.#lost ??= error;
    return error;
  }
}
