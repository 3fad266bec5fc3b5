import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryFile } from '../../test/memory-folder.ts';
import { floatBytes, headerOf, safetensorsFile, type TensorBytes, writeSafetensors } from '../../test/write-safetensors.ts';
import { openSafetensors } from '../safetensors/open-file.ts';
import { toFloat32 } from '../safetensors/dtype.ts';
import { StoredView } from './stored-view.ts';

interface Options {
  readonly version?: string;
  readonly name?: string;
  readonly onRead?: (offset: number, length: number) => void;
}

async function views(file: Uint8Array, { name = 'model.safetensors', ...options }: Options = {}): Promise<StoredView[]> {
  return (await openSafetensors(memoryFile(name, file, options), name)).map((tensor) => StoredView.of(tensor));
}

const counting = (name: string, shape: readonly number[]): TensorBytes => {
  const length = shape.reduce((product, size) => product * size, 1);
  return { name, dtype: 'F32', shape, bytes: floatBytes(Array.from({ length }, (_, place) => place)) };
};

const storedTensor = fc
  .record({ name: fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__'), dtype: fc.constantFrom('F32', 'F16', 'BF16'), shape: fc.array(fc.nat(4), { maxLength: 4 }), seed: fc.nat() })
  .map(({ seed, ...tensor }): TensorBytes => {
    const length = tensor.shape.reduce((product, size) => product * size, tensor.dtype === 'F32' ? 4 : 2);
    return { ...tensor, bytes: Uint8Array.from({ length }, (_, place) => (seed + place * 37) % 251) };
  });

describe('StoredView', () => {
  it('gives back what any well-formed file holds, whatever its names, shapes, order and padding', async () => {
    const layout = fc.uniqueArray(storedTensor, { selector: ({ name }) => name, maxLength: 8 });
    await fc.assert(fc.asyncProperty(layout, fc.nat(7), fc.infiniteStream(fc.nat()), async (tensors, padding, order) => {
      const entries = Object.entries(headerOf(tensors)).map((entry) => [order.next().value!, entry] as const).sort(([one], [other]) => one - other);
      const header = JSON.stringify(Object.fromEntries(entries.map(([, entry]) => entry))) + ' '.repeat(padding);
      const read = await views(safetensorsFile(header, Buffer.concat(tensors.map(({ bytes }) => bytes))));
      expect(read.map(({ name }) => name).sort()).toEqual(tensors.map(({ name }) => name).sort());
      for (const view of read) {
        const { dtype, shape, bytes } = tensors.find(({ name }) => name === view.name)!;
        expect([view.rows, view.columns]).toEqual([shape.slice(0, -1).reduce((product, size) => product * size, 1), shape.at(-1) ?? 1]);
        expect(view.dtype).toBe(dtype.toLowerCase());
        expect(await view.read(0, view.rows)).toEqual(toFloat32(view.dtype, Uint8Array.from(bytes)));
      }
    }));
  });

  it('reads only the bytes of the rows asked for', async () => {
    const reads: number[][] = [];
    const [, view] = await views(writeSafetensors([counting('a', [2]), counting('b', [5, 3])]), { onRead: (...range) => reads.push(range) });
    const headerReads = reads.length;
    expect(await view!.read(1, 2)).toEqual(Float32Array.of(3, 4, 5, 6, 7, 8));
    const dataOffset = reads[1]![0]! + reads[1]![1]!;
    expect(reads.slice(headerReads)).toEqual([[dataOffset + 8 + 12, 24]]);
    expect(await view!.read(5, 0)).toEqual(new Float32Array());
  });

  it('slices rows of a stack of matrices, and slices again', async () => {
    const [view] = await views(writeSafetensors([counting('experts', [3, 4, 2])]));
    const second = view!.slice(4, 4);
    expect({ name: second.name, rows: second.rows, columns: second.columns }).toEqual({ name: 'experts[4:8]', rows: 4, columns: 2 });
    expect(await second.read(0, 4)).toEqual(Float32Array.of(8, 9, 10, 11, 12, 13, 14, 15));
    expect(await second.slice(1, 2).read(1, 1)).toEqual(Float32Array.of(12, 13));
  });

  it('holds rows outside a view for a bug, also where the file goes on', async () => {
    const [view] = await views(writeSafetensors([counting('a', [4, 2]), counting('b', [9])]));
    for (const [first, rows] of [[0, 5], [4, 1], [-1, 1], [0.5, 1], [0, NaN]] as const) await expect(view!.read(first, rows)).rejects.toThrow('assertion failed');
    expect(() => view!.slice(3, 2)).toThrow('assertion failed: rows 3 to 5 of a are within its 4');
    await expect(view!.slice(0, 2).read(0, 3)).rejects.toThrow('assertion failed');
  });
});

describe('fingerprint', () => {
  const file = (header: object, data: Uint8Array): Uint8Array => safetensorsFile(JSON.stringify(header), data);
  const tensor = (shape: readonly number[], begin: number, end: number, dtype = 'F32'): object => ({ dtype, shape, data_offsets: [begin, end] });
  const fingerprints = async (bytes: Uint8Array, options?: Options): Promise<string[]> => Promise.all((await views(bytes, options)).map((view) => view.fingerprint()));

  it('is the same for the same bytes under another name, and different between the views of a file', async () => {
    const bytes = file({ a: tensor([2, 2], 0, 16), b: tensor([2, 2], 16, 32) }, new Uint8Array(32));
    const [a, b] = await fingerprints(bytes);
    expect(await fingerprints(bytes, { name: 'elsewhere.safetensors' })).toEqual([a, b]);
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect(a).not.toBe(b);
  });

  it('changes with the version of the file, the content, the shape, the dtype and the slice', async () => {
    const data = new Uint8Array(16);
    const original = { a: tensor([2, 2], 0, 16) };
    const all = await Promise.all([
      fingerprints(file(original, data)),
      fingerprints(file(original, data), { version: 'v2' }),
      fingerprints(file(original, data.with(7, 1))),
      fingerprints(file({ a: tensor([4, 1], 0, 16) }, data)),
      fingerprints(file({ a: tensor([4, 2], 0, 16, 'F16') }, data)),
      fingerprints(file({ a: tensor([4, 2], 0, 16, 'BF16') }, data)),
      views(file(original, data)).then(async ([view]) => [await view!.slice(0, 1).fingerprint(), await view!.slice(1, 1).fingerprint()]),
    ]);
    expect(new Set(all.flat()).size).toBe(all.flat().length);
  });

  it('samples 64 KiB of a large view, its first and last bytes among them', async () => {
    const size = 1 << 20;
    let bytesRead = 0;
    const of = async (data: Uint8Array): Promise<string> => {
      const [view] = await views(file({ a: tensor([size / 4], 0, size) }, data), { onRead: (_, length) => (bytesRead += length) });
      bytesRead = 0;
      return view!.fingerprint();
    };
    const zeros = await of(new Uint8Array(size));
    expect(bytesRead).toBe(64 << 10);
    for (const place of [0, 4095, Math.floor((7 * (size - 4096)) / 15), size - 4096, size - 1]) expect(await of(new Uint8Array(size).with(place, 1))).not.toBe(zeros);
  });
});
