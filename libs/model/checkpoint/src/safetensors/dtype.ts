import { AppError, type StoredDtype } from '@essaim/core';
import { damaged } from '../damaged.ts';
import { fromE2m1, fromE4m3 } from './small-floats.ts';

/** Everything the format knows, so that the size of each tensor can be checked, also of those that are not read. */
const BITS: Readonly<Record<string, number>> = {
  F4: 4, F6_E2M3: 6, F6_E3M2: 6,
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  U16: 16, I16: 16, F16: 16, BF16: 16,
  U32: 32, I32: 32, F32: 32,
  U64: 64, I64: 64, F64: 64, C64: 64,
};

/** A form that values are read from. "e2m1" is packed, two to a byte. */
export type NumberForm = StoredDtype | 'e4m3' | 'e2m1';

const FORMS: Readonly<Record<string, NumberForm>> = { F32: 'f32', F16: 'f16', BF16: 'bf16', F8_E4M3: 'e4m3' };

export const BITS_PER_VALUE = { f32: 32, f16: 16, bf16: 16, e4m3: 8, e2m1: 4 } as const satisfies Record<NumberForm, number>;

/** The plain float that holds every value of a form. */
export const PLAIN_FLOAT = { f32: 'f32', f16: 'f16', bf16: 'bf16', e4m3: 'bf16', e2m1: 'bf16' } as const satisfies Record<NumberForm, StoredDtype>;

/** Null for a dtype that the format does not know. */
export const bitsPerValue = (dtype: string): number | null => (Object.hasOwn(BITS, dtype) ? BITS[dtype]! : null);

/** The form of a tensor that is used. */
export function numberForm(dtype: string, { file, tensor }: { readonly file: string; readonly tensor: string }): NumberForm {
  if (Object.hasOwn(FORMS, dtype)) return FORMS[dtype]!;
  if (bitsPerValue(dtype) === null) throw damaged(file, `tensor ${tensor} has the unknown dtype ${JSON.stringify(dtype)}`);
  throw new AppError('unimplemented', `${file}: tensor ${tensor} is stored as ${dtype}, which is not implemented: use a checkpoint in ${Object.keys(FORMS).join(', ')} or NVFP4`);
}

/** The same values as float32: exact, since every form is a subset of it. May be a view of `bytes`, which must be 8-byte aligned. */
export function toFloat32(form: NumberForm, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = (byteLength * 8) / BITS_PER_VALUE[form];
  switch (form) {
    case 'f32': return new Float32Array(buffer, byteOffset, length);
    case 'f16': return new Float32Array(new Float16Array(buffer, byteOffset, length));
    case 'bf16': return fromBfloat16(new Uint16Array(buffer, byteOffset, length));
    case 'e4m3': return fromE4m3(bytes);
    case 'e2m1': return fromE2m1(bytes);
  }
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = halves[index]! << 16;
  return new Float32Array(words.buffer);
}
