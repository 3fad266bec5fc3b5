import { assert } from '@essaim/core';
import { brainFloats } from './brain-floats.ts';
import { halfFloats } from './half-floats.ts';
import { scaledBytes } from './scaled-bytes.ts';
import { singleFloats } from './single-floats.ts';

/** Numeric forms in which activations may travel, by falling precision. */
export const ACTIVATION_DTYPES = ['f32', 'f16', 'bf16', 'int8'] as const;
export type ActivationDtype = (typeof ACTIVATION_DTYPES)[number];

/** What leads ask for unless told otherwise; BENCHMARKS.md has the measurements behind it. */
export const DEFAULT_ACTIVATION_DTYPE: ActivationDtype = 'f32';

/** Activations as bytes. A value that is not finite comes back as one that is not finite, and no row depends on another. */
export interface ActivationForm {
  /** [rows, width] as bytes, possibly the same memory; null where this form has no room for a value, so that a wider form must carry them. */
  encode(values: Float32Array, width: number): Uint8Array<ArrayBuffer> | null;
  /** The bytes as [rows, width], possibly the same memory. Fails with `invalid_argument` on bytes that are no whole number of rows. */
  decode(bytes: Uint8Array, width: number): Float32Array;
}

const FORMS: Readonly<Record<ActivationDtype, ActivationForm>> = { f32: singleFloats, f16: halfFloats, bf16: brainFloats, int8: scaledBytes };

export interface EncodedActivations {
  readonly dtype: ActivationDtype;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** [rows, width] in the form asked for, or as they are where that has no room for them. */
export function encodeActivations(values: Float32Array, width: number, dtype: ActivationDtype): EncodedActivations {
  assert(width === 0 ? values.length === 0 : values.length % width === 0, 'activations are whole rows');
  const bytes = FORMS[dtype].encode(values, width);
  return bytes === null ? { dtype: 'f32', bytes: singleFloats.encode(values) } : { dtype, bytes };
}

export const decodeActivations = ({ dtype, bytes }: { readonly dtype: ActivationDtype; readonly bytes: Uint8Array }, width: number): Float32Array => FORMS[dtype].decode(bytes, width);
