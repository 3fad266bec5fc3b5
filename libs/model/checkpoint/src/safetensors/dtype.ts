import { AppError, type StoredDtype } from '@essaim/core';
import { damaged } from '../damaged.ts';

/** Everything the format knows, so that the size of each tensor can be checked, also of those that are not read. */
const BITS: Readonly<Record<string, number>> = {
  F4: 4, F6_E2M3: 6, F6_E3M2: 6,
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  U16: 16, I16: 16, F16: 16, BF16: 16,
  U32: 32, I32: 32, F32: 32,
  U64: 64, I64: 64, F64: 64, C64: 64,
};

const STORED: Readonly<Record<string, StoredDtype>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

export const BYTES_PER_VALUE = { f32: 4, f16: 2, bf16: 2 } as const satisfies Record<StoredDtype, number>;

/** Null for a dtype that the format does not know. */
export const bitsPerValue = (dtype: string): number | null => (Object.hasOwn(BITS, dtype) ? BITS[dtype]! : null);

/** The dtype of a tensor that is used. */
export function storedDtype(dtype: string, { file, tensor }: { readonly file: string; readonly tensor: string }): StoredDtype {
  if (Object.hasOwn(STORED, dtype)) return STORED[dtype]!;
  if (bitsPerValue(dtype) === null) throw damaged(file, `tensor ${tensor} has the unknown dtype ${JSON.stringify(dtype)}`);
  throw new AppError('unimplemented', `${file}: tensor ${tensor} is stored as ${dtype}, which is not implemented: use a checkpoint in F32, F16 or BF16`);
}

/** The same values as float32: exact, since both 16-bit forms are subsets of it. May be a view of `bytes`, which must be 8-byte aligned. */
export function toFloat32(dtype: StoredDtype, { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Float32Array {
  const length = byteLength / BYTES_PER_VALUE[dtype];
  switch (dtype) {
    case 'f32': return new Float32Array(buffer, byteOffset, length);
    case 'f16': return new Float32Array(new Float16Array(buffer, byteOffset, length));
    case 'bf16': return fromBfloat16(new Uint16Array(buffer, byteOffset, length));
  }
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  return new Float32Array(words.buffer);
}
