import { expect, it } from 'vitest';
import { aligned, ggufHead } from './format.ts';

/** Reads one thing after the other, as a reader of GGUF does. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  take(length: number): Buffer {
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }
  u32 = (): number => this.take(4).readUInt32LE();
  u64 = (): number => Number(this.take(8).readBigUInt64LE());
  string = (): string => this.take(this.u64()).toString();
  get at(): number {
    return this.#at;
  }
}

it('says what the model is and where each tensor lies, at multiples of 32 bytes', () => {
  const head = ggufHead(
    { 'a.name': { type: 'string', value: 'é' }, 'a.count': { type: 'u32', value: 7 }, 'a.share': { type: 'f32', value: 0.5 }, 'a.words': { type: 'array', value: ['x', 'yz'] } },
    [{ name: 'one', type: 'q4_0', dims: [32, 1], byteLength: 18 }, { name: 'two', type: 'f32', dims: [4], byteLength: 16 }],
  );
  const read = new Reader(head);
  expect([read.take(4).toString(), read.u32(), read.u64(), read.u64()]).toEqual(['GGUF', 3, 2, 4]);
  expect([read.string(), read.u32(), read.string()]).toEqual(['a.name', 8, 'é']);
  expect([read.string(), read.u32(), read.u32()]).toEqual(['a.count', 4, 7]);
  expect([read.string(), read.u32(), read.take(4).readFloatLE()]).toEqual(['a.share', 6, 0.5]);
  expect([read.string(), read.u32(), read.u32(), read.u64(), read.string(), read.string()]).toEqual(['a.words', 9, 8, 2, 'x', 'yz']);
  expect([read.string(), read.u32(), read.u64(), read.u64(), read.u32(), read.u64()]).toEqual(['one', 2, 32, 1, 2, 0]);
  expect([read.string(), read.u32(), read.u64(), read.u32(), read.u64()]).toEqual(['two', 1, 4, 0, 32]);
  expect(head.length).toBe(aligned(read.at));
});
