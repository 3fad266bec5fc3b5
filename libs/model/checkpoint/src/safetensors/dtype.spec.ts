import { AppError } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { numberForm, toFloat32 } from './dtype.ts';

const EVERY_HALF = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
const bytesOf = (words: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(words.buffer);

/** IEEE 754 binary16, from its definition. */
function halfValue(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe('toFloat32', () => {
  it('gives every float16 its exact value: subnormals, zeros of both signs, infinities, not-a-number', () => {
    expect(toFloat32('f16', bytesOf(EVERY_HALF))).toEqual(Float32Array.from(EVERY_HALF, halfValue));
  });

  it('gives every bfloat16 as the upper half of a float32, not-a-numbers with their bits', () => {
    const values = toFloat32('bf16', bytesOf(EVERY_HALF));
    expect(new Uint32Array(values.buffer)).toEqual(Uint32Array.from(EVERY_HALF, (bits) => bits * 2 ** 16));
  });

  it('leaves float32 as it is, bit for bit, without a copy', () => {
    const words = Uint32Array.of(0x3f800000, 0x80000000, 0x00000001, 0x7f800000, 0x7fa00001);
    const values = toFloat32('f32', bytesOf(words));
    expect(values.buffer).toBe(words.buffer);
    expect([values[0], values[1], values[2], values[3]]).toEqual([1, -0, 2 ** -149, Infinity]);
  });

  it('reads a part of a buffer', () => {
    expect(toFloat32('bf16', bytesOf(Uint16Array.of(0, 0, 0, 0, 0x3f80, 0x4000)).subarray(8))).toEqual(Float32Array.of(1, 2));
  });
});

describe('numberForm', () => {
  const where = { file: 'model.safetensors', tensor: 'model.norm.weight' };

  it('knows the forms that are read', () => {
    expect(['F32', 'F16', 'BF16', 'F8_E4M3'].map((dtype) => numberForm(dtype, where))).toEqual(['f32', 'f16', 'bf16', 'e4m3']);
  });

  it('tells a form that is not implemented from one that nobody knows', () => {
    expect(() => numberForm('F8_E5M2', where)).toThrow(new AppError('unimplemented', 'model.safetensors: tensor model.norm.weight is stored as F8_E5M2, which is not implemented: use a checkpoint in F32, F16, BF16, F8_E4M3 or NVFP4'));
    for (const dtype of ['F31', 'bf16', 'constructor']) {
      expect(() => numberForm(dtype, where)).toThrow(expect.objectContaining({ code: 'data_loss', message: `model.safetensors is damaged: tensor model.norm.weight has the unknown dtype "${dtype}"; download it again` }));
    }
  });
});
