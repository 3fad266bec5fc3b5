import { describe, expect, it } from 'vitest';
import { STORED_DTYPES } from '@essaim/core';
import { type PieceLayout } from '@essaim/panels';
import { embedRows } from './embedding.ts';

/** Exact in every form. */
const TABLE = [[1, -2, 0.5], [0, 3, -0.25], [64, -0, 7], [NaN, Infinity, -Infinity]] as const;
const AT = 192;

describe.each(STORED_DTYPES)('an embedding stored as %s', (dtype) => {
  const layout: PieceLayout = { bytes: 128, tensors: { embedding: { form: 'rows', dtype, rows: 4, columns: 3, offset: 64, bytes: 12 * (dtype === 'f32' ? 4 : 2) } } };
  const memory = new SharedArrayBuffer(1024);
  const buffer = memory as unknown as ArrayBuffer;
  if (dtype === 'f32') new Float32Array(buffer, AT + 64).set(TABLE.flat());
  else if (dtype === 'f16') new Float16Array(buffer, AT + 64).set(TABLE.flat());
  else new Uint16Array(buffer, AT + 64).set([...new Uint32Array(Float32Array.from(TABLE.flat()).buffer)].map((bits) => bits >>> 16));

  it('gives the rows of the tokens, as float32', () => {
    expect(embedRows(memory, AT, layout, [2, 0, 3, 2])).toEqual(Float32Array.from([TABLE[2], TABLE[0], TABLE[3], TABLE[2]].flat()));
    expect(embedRows(memory, AT, layout, [])).toEqual(new Float32Array(0));
  });

  it.each([-1, 4])('has no row for token %i', (token) => {
    expect(() => embedRows(memory, AT, layout, [token])).toThrow('a token has a row of the embedding');
  });
});
