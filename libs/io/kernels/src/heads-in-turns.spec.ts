import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelMemory, randomFloats } from '../test/kernel-memory.ts';

const memories = { wide: new KernelMemory({ wide: true }), narrow: new KernelMemory({ wide: false }) };
const CHUNK = 64;

const four = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: max / 4 }).map((value) => 4 * value);
const shapes = fc.record({ rows: fc.integer({ min: 1, max: 40 }), first: fc.nat(200), heads: fc.integer({ min: 1, max: 5 }), keySize: four(64), valueSize: four(64), seed: fc.integer({ min: 1, max: 1000 }) });

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

describe.each(['wide', 'narrow'] as const)('heads that take turns, with %s operations', (width) => {
  const memory = memories[width];
  const { kernels } = memory;

  it('give the bits that each gives at once, though no more than a chunk of a head\'s keys and values is ever there', () => {
    fc.assert(fc.property(shapes, ({ rows, first, heads, keySize, valueSize, seed }) => {
      memory.clear();
      const positions = first + rows;
      const q = memory.put(randomFloats(rows * heads * keySize, seed));
      // Head by head, and within one the key of a position before its value.
      const stride = keySize + valueSize + 4;
      const kept = Array.from({ length: heads }, (_, head) => memory.put(randomFloats(positions * stride, seed + 1 + head)));
      const [expected, out] = [memory.room(rows * heads * valueSize), memory.room(rows * heads * valueSize)];
      const scratch = memory.room(Math.max(kernels.headsScratchBytes(rows, heads, keySize), kernels.attentionScratchBytes(rows, 1, keySize)) / 4);
      kept.forEach((keys, head) => {
        kernels.attention(q + 4 * head * keySize, heads * keySize, expected + 4 * head * valueSize, heads * valueSize, rows, first, 1, keySize, valueSize, keys, stride, keys + 4 * keySize, stride, 0, 0.3, scratch);
      });
      const made = memory.room(CHUNK * stride);
      for (let head = 0; head < heads; head++) kernels.beginHead(head, q + 4 * head * keySize, heads * keySize, out + 4 * head * valueSize, heads * valueSize, rows, keySize, valueSize, scratch);
      for (let chunk = 0; chunk < positions; chunk += CHUNK) {
        for (let head = 0; head < heads; head++) {
          kernels.copyRows(kept[head]! + 4 * chunk * stride, stride, made, stride, Math.min(CHUNK, positions - chunk), stride);
          kernels.meetChunk(head, chunk, rows, first, keySize, valueSize, made, stride, made + 4 * keySize, stride, 0.3, scratch);
        }
      }
      for (let head = 0; head < heads; head++) kernels.finishHead(head, rows, keySize, valueSize, scratch);
      expect(bits(memory.read(out, rows * heads * valueSize))).toEqual(bits(memory.read(expected, rows * heads * valueSize)));
    }));
  });
});
