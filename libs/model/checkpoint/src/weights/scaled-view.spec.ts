import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrambled, scrambledE4m3, storedTensors, type StoredTensors } from '../../test/quantised-tensors.ts';
import { floatBytes } from '../../test/write-safetensors.ts';
import { E2M1_VALUES, E4M3_VALUES } from '../safetensors/small-floats.ts';
import { fp8Grid, nvfp4Grid } from './scale-grid.ts';
import { ScaledView } from './scaled-view.ts';
import { StoredView } from './stored-view.ts';

const scaleValues = (count: number): Float32Array => Float32Array.from({ length: count }, (_, place) => 0.01 + place / 3);
const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

interface Fp8 {
  readonly view: ScaledView;
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly stored: StoredTensors;
}

async function fp8(shape: readonly number[], scaleShape: readonly number[], block: readonly [number, number]): Promise<Fp8> {
  const codes = scrambledE4m3(count(shape));
  const scales = scaleValues(count(scaleShape));
  const stored = await storedTensors([
    { name: 'w', dtype: 'F8_E4M3', shape, bytes: codes },
    { name: 'w_scale', dtype: 'F32', shape: scaleShape, bytes: floatBytes(scales) },
  ]);
  const tensor = stored.tensor('w');
  return { view: new ScaledView(StoredView.of(tensor), fp8Grid(tensor, stored.tensor('w_scale'), block)), codes, scales, stored };
}

/** The product in float32, which is how the formats define it. */
const scaled = (codes: Uint8Array, scaleOf: (place: number) => number): Float32Array => Float32Array.from(codes, (code, place) => E4M3_VALUES[code]! * scaleOf(place));

describe('FP8 codes with scales', () => {
  it('multiply by the scale of their block, also where blocks are cut short on both sides', async () => {
    const { view, codes, scales } = await fp8([5, 7], [3, 3], [2, 3]);
    expect(await view.read(0, 5)).toEqual(scaled(codes, (place) => scales[Math.floor(Math.floor(place / 7) / 2) * 3 + Math.floor((place % 7) / 3)]!));
  });

  it.each<[string, readonly number[], (place: number) => number]>([
    ['one for the tensor, as a scalar', [], () => 0],
    ['one for the tensor, as a vector', [1], () => 0],
    ['one for the tensor, as a matrix', [1, 1], () => 0],
    ['one a row', [5, 1], (place) => Math.floor(place / 7)],
  ])('multiply by %s', async (_, scaleShape, scaleOf) => {
    const { view, codes, scales } = await fp8([5, 7], scaleShape, [128, 128]);
    expect(await view.read(0, 5)).toEqual(scaled(codes, (place) => scales[scaleOf(place)]!));
  });

  it('of stacked matrices begin their blocks anew with each matrix', async () => {
    const { view, codes, scales } = await fp8([2, 3, 4], [2, 2, 2], [2, 2]);
    expect(await view.read(0, 6)).toEqual(scaled(codes, (place) => {
      const [matrix, row, column] = [Math.floor(place / 12), Math.floor((place % 12) / 4), place % 4];
      return scales[matrix * 4 + Math.floor(row / 2) * 2 + Math.floor(column / 2)]!;
    }));
  });

  it('give for any rows of any slice what a read of everything gives there', async () => {
    const { view } = await fp8([2, 5, 6], [2, 3, 2], [2, 4]);
    const whole = await view.read(0, 10);
    await fc.assert(fc.asyncProperty(fc.nat(10), fc.nat(10), fc.nat(10), async (sliceStart, first, end) => {
      const slice = view.slice(sliceStart, 10 - sliceStart);
      const [from, to] = [Math.min(first, end, slice.rows), Math.min(Math.max(first, end), slice.rows)];
      expect(await slice.read(from, to - from)).toEqual(whole.slice((sliceStart + from) * 6, (sliceStart + to) * 6));
    }));
  });

  it('read the bytes of the rows asked for and of their scales, and no others', async () => {
    const { view, stored } = await fp8([8, 4], [4, 2], [2, 2]);
    await view.read(3, 2);
    expect(stored.takeReads()).toEqual([[12, 8], [32 + 8, 16]]);
  });

  it('need a float32 for a value, and have a fingerprint that changes with codes, scales and slice', async () => {
    const { view } = await fp8([4, 4], [2, 2], [2, 2]);
    const { view: otherBlocks } = await fp8([4, 4], [1, 1], [4, 4]);
    expect(view.dtype).toBe('f32');
    const all = [view, otherBlocks, view.slice(0, 2), view.slice(2, 2)].map((each) => each.fingerprint());
    expect(new Set(await Promise.all(all)).size).toBe(4);
  });

  it('whose scales fit no way of having them are refused in a sentence that names the shapes', async () => {
    await expect(fp8([5, 7], [2, 3], [2, 3])).rejects.toMatchObject({
      code: 'data_loss',
      message: 'model.safetensors: tensor w_scale has shape [2, 3], which is neither one scale for w [5, 7], nor one a row, nor one for each block of 2 x 3: download all files of one checkpoint again',
    });
  });
});

describe('NVFP4 codes with scales', () => {
  async function nvfp4(rows: number, columns: number, { scaleColumns = columns / 16, globals = 1 } = {}): Promise<{ view: ScaledView; expected: Float32Array }> {
    const pairs = scrambled((rows * columns) / 2);
    const scaleCodes = scrambledE4m3(rows * scaleColumns, 2).map((code) => code & 127);
    const stored = await storedTensors([
      { name: 'w_packed', dtype: 'U8', shape: [rows, columns / 2], bytes: pairs },
      { name: 'w_scale', dtype: 'F8_E4M3', shape: [rows, scaleColumns], bytes: scaleCodes },
      { name: 'w_global_scale', dtype: 'F32', shape: [globals], bytes: floatBytes(new Float32Array(globals).fill(2688 / 0.3)) },
    ]);
    const grid = nvfp4Grid({ name: 'w', shape: [rows, columns] }, stored.tensor('w_scale'), stored.tensor('w_global_scale'));
    const codes = Array.from(pairs, (pair) => [pair & 15, pair >> 4]).flat();
    const global = Math.fround(2688 / 0.3);
    const expected = Float32Array.from(codes, (code, place) => E2M1_VALUES[code]! * Math.fround(E4M3_VALUES[scaleCodes[Math.floor(place / 16)]!]! / global));
    return { view: new ScaledView(StoredView.ofPairs(stored.tensor('w_packed')), grid), expected };
  }

  it('multiply by the scale of their 16 columns over the one of the tensor, rounding the quotient first', async () => {
    const { view, expected } = await nvfp4(6, 48);
    expect(await view.read(0, 6)).toEqual(expected);
    expect(await view.read(4, 1)).toEqual(expected.slice(4 * 48, 5 * 48));
  });

  it.each([
    ['scales of other blocks', { scaleColumns: 2 }, 'tensor w_scale has shape [6, 2], which is not one scale for each 16 columns of w [6, 48]'],
    ['two scales over them', { globals: 2 }, 'tensor w_global_scale has shape [2], but it is one value for the whole tensor'],
  ])('with %s are refused', async (_, options, sentence) => {
    await expect(nvfp4(6, 48, options)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(sentence) as string });
  });
});
