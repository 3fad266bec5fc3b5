import { AppError } from '@essaim/core';

/** The same bytes where a view of `alignment` bytes per element fits, else one copy. */
export function alignedBytes(bytes: Uint8Array, alignment: number): Uint8Array<ArrayBuffer> {
  // Not `slice`, which on a Buffer is a view.
  return bytes.byteOffset % alignment === 0 ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

export function requireWholeRows(bytes: Uint8Array, rowBytes: number): void {
  const isWhole = rowBytes === 0 ? bytes.byteLength === 0 : bytes.byteLength % rowBytes === 0;
  if (!isWhole) throw new AppError('invalid_argument', `activations have ${bytes.byteLength} bytes, which is no whole number of rows of ${rowBytes} bytes`);
}
