import { type StoredDtype } from '@essaim/core';

/** Bytes of one value. */
export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = { f32: 4, f16: 2, bf16: 2 };

/** Values back in the form in which a checkpoint has them: exact where they came from there. */
export function encodeStored(values: Float32Array, dtype: StoredDtype): Uint8Array {
  switch (dtype) {
    case 'f32':
      return bytesOf(values);
    case 'f16':
      return bytesOf(new Float16Array(values));
    case 'bf16':
      return bytesOf(upperHalves(values));
  }
}

function upperHalves(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.length);
  for (let index = 0; index < words.length; index++) halves[index] = words[index]! >>> 16;
  return halves;
}

/** The memory of a typed array. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float16Array | Uint16Array | Uint32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
