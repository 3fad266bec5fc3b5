import { describe, expect, it } from 'vitest';
import { memoryFile } from '../../test/memory-folder.ts';
import { floatBytes, safetensorsFile, writeSafetensors } from '../../test/write-safetensors.ts';
import { openSafetensors } from './open-file.ts';

const open = (bytes: Uint8Array) => openSafetensors(memoryFile('model.safetensors', bytes), '/models/tiny/model.safetensors');

/** A file that declares a header of so many bytes, with 16 bytes behind the length. */
function declaring(headerBytes: bigint): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(headerBytes);
  return bytes;
}

describe('openSafetensors', () => {
  it('reads the header and not one byte of the data', async () => {
    const bytes = writeSafetensors([{ name: 'a', dtype: 'F32', shape: [3], bytes: floatBytes([1, 2, 3]) }]);
    const reads: number[] = [];
    const file = memoryFile('model.safetensors', bytes, { onRead: (offset, length) => reads.push(offset + length) });
    expect(await openSafetensors(file, 'here')).toEqual([{ name: 'a', dtype: 'F32', shape: [3], begin: 0, end: 12, file, path: 'here', dataOffset: bytes.length - 12 }]);
    expect(Math.max(...reads)).toBe(bytes.length - 12);
  });

  it('knows places up to 2^53 to the byte, and refuses a file that is larger', async () => {
    const dataBytes = 2 ** 53 - 4096;
    const entry = (begin: number, end: number): object => ({ dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] });
    const start = safetensorsFile(JSON.stringify({ a: entry(0, 2 ** 32 + 1), b: entry(2 ** 32 + 1, dataBytes - 3), c: entry(dataBytes - 3, dataBytes) }));
    const hollow = (sizeBytes: number) => ({ ...memoryFile('model.safetensors', start), sizeBytes });
    const tensors = await openSafetensors(hollow(start.length + dataBytes), 'here');
    expect(tensors.map(({ dataOffset, begin }) => dataOffset + begin)).toEqual([start.length, start.length + 2 ** 32 + 1, start.length + dataBytes - 3]);
    await expect(openSafetensors(hollow(2 ** 53), 'here')).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('more than can be counted exactly') as string });
  });

  it.each([
    ['an empty file', new Uint8Array(), 'it has 0 bytes, less than the length of a header takes'],
    ['seven bytes', new Uint8Array(7), 'it has 7 bytes, less than the length of a header takes'],
    ['a header of no bytes', safetensorsFile(''), 'its header does not start with "{"'],
    ['a header longer than the file', declaring(17n), 'its header would have 17 bytes, but the file ends after 16'],
    ['a header longer than allowed', declaring(100_000_001n), 'its header would have 100000001 bytes, more than the 100000000 that the format allows'],
    ['a length past all numbers', declaring(2n ** 64n - 1n), 'its header would have 18446744073709551615 bytes, more than'],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'), 'it is a Git LFS pointer in place of the weights (`git lfs pull` fetches them)'],
    ['a web page', Buffer.from('<!doctype html><title>401</title>'), 'its header would have 8104636974849335612 bytes, more than'],
  ])('refuses %s', async (_, bytes, sentence) => {
    await expect(open(bytes)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`/models/tiny/model.safetensors is damaged: ${sentence}`) as string });
  });
});
