import { AppError } from '@essaim/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHeader } from './header.ts';

const parse = (header: string, dataBytes: number) => parseHeader('model.safetensors', Buffer.from(header), dataBytes);
const entry = (dtype: string, shape: readonly number[], begin: number, end: number): string => JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('parseHeader', () => {
  it('gives the tensors in the order of their bytes, whatever the order of the names', () => {
    const header = `{"b": ${entry('F16', [2, 1], 8, 12)}, "__metadata__": {"format": "pt"}, "a": ${entry('F32', [2], 0, 8)}}   `;
    expect(parse(header, 12)).toEqual([
      { name: 'a', dtype: 'F32', shape: [2], begin: 0, end: 8 },
      { name: 'b', dtype: 'F16', shape: [2, 1], begin: 8, end: 12 },
    ]);
  });

  it('takes no tensors, empty tensors, scalars, half bytes and names of any kind', () => {
    expect(parse('{}', 0)).toEqual([]);
    const header = `{"s": ${entry('F64', [], 0, 8)}, "": ${entry('F32', [3, 0], 8, 8)}, "__proto__": ${entry('F4', [2, 3], 8, 11)}, "é\\n": ${entry('BF16', [0], 11, 11)}}`;
    expect(parse(header, 11).map(({ name }) => name)).toEqual(['s', '', '__proto__', 'é\n']);
  });

  it('leaves a dtype that it does not know to whoever uses the tensor', () => {
    expect(parse(`{"a": ${entry('F3', [7], 0, 5)}}`, 5)).toEqual([{ name: 'a', dtype: 'F3', shape: [7], begin: 0, end: 5 }]);
  });

  it.each([
    ['no object', '[]', 0, 'its header does not start with "{"'],
    ['white space before it', ' {}', 0, 'its header does not start with "{"'],
    ['no JSON', '{"a": }', 0, 'its header is not valid JSON in UTF-8 (Unexpected token'],
    ['a tensor twice', `{"a": ${entry('F32', [1], 0, 4)}, "a": ${entry('F32', [1], 4, 8)}}`, 8, 'its header is not valid JSON in UTF-8 (the key "a" occurs twice in one object)'],
    ['a field twice', '{"a": {"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}}', 4, 'the key "shape" occurs twice in one object'],
    ['metadata that is no text', '{"__metadata__": {"layers": 2}}', 0, 'the __metadata__ of its header has values that are not strings'],
    ['an entry that is no object', '{"a": null}', 0, 'the entry of tensor a must be an object'],
    ['no dtype', '{"a": {"shape":[1],"data_offsets":[0,4]}}', 4, 'dtype of tensor a must be a string'],
    ['no shape', '{"a": {"dtype":"F32","data_offsets":[0,4]}}', 4, 'shape of tensor a must be a list'],
    ['one offset', '{"a": {"dtype":"F32","shape":[1],"data_offsets":[4]}}', 4, 'data_offsets of tensor a must be a pair'],
    ['three offsets', '{"a": {"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4, 'data_offsets of tensor a must be a pair'],
    ['a negative size', `{"a": ${entry('F32', [-1], 0, 4)}}`, 4, 'shape of tensor a must hold whole numbers from 0 to 2^53 - 1'],
    ['a fractional size', `{"a": ${entry('F32', [1.5], 0, 6)}}`, 6, 'shape of tensor a must hold whole numbers'],
    ['a negative offset', `{"a": ${entry('F32', [1], -4, 0)}}`, 4, 'data_offsets of tensor a must hold whole numbers'],
    ['a number past 2^53', '{"a": {"dtype":"F32","shape":[1],"data_offsets":[9007199254740992,9007199254740996]}}', 4, 'data_offsets of tensor a must hold whole numbers'],
    ['an end before the begin', `{"a": ${entry('F32', [1], 4, 0)}}`, 4, 'tensor a ends at byte 0, before it begins at 4'],
    ['too few bytes for the shape', `{"a": ${entry('BF16', [2, 3], 0, 10)}}`, 10, 'tensor a has 10 bytes, but BF16 of shape [2, 3] takes 12'],
    ['a shape whose size no number holds', `{"a": ${entry('F32', [2 ** 52, 2 ** 52], 0, 4)}}`, 4, 'tensor a has 4 bytes, but F32 of shape'],
    ['a shape beyond all numbers', `{"a": ${entry('F32', [...Array<number>(25).fill(2 ** 52), 0], 0, 0)}}`, 0, 'takes NaN'],
    ['an overlap', `{"a": ${entry('F32', [2], 0, 8)}, "b": ${entry('F32', [1], 4, 8)}}`, 8, 'tensor b begins at byte 4 inside the one before it, which ends at 8'],
    ['a gap', `{"a": ${entry('F32', [1], 0, 4)}, "b": ${entry('F32', [1], 8, 12)}}`, 12, 'bytes 4 to 8 before tensor b belong to no tensor'],
    ['a gap at the start', `{"a": ${entry('F32', [1], 4, 8)}}`, 8, 'bytes 0 to 4 before tensor a belong to no tensor'],
    ['data cut short', `{"a": ${entry('F32', [2], 0, 8)}}`, 7, 'its tensors take 8 bytes, but only 7 are there: it was cut short'],
    ['data left over', `{"a": ${entry('F32', [2], 0, 8)}}`, 9, 'bytes 8 to 9 behind its last tensor belong to no tensor'],
  ])('refuses %s in a sentence that says what is wrong and where', (_, header, dataBytes, sentence) => {
    const refusal = refusalOf(() => parse(header, dataBytes));
    expect(refusal).toMatchObject({ code: 'data_loss', message: expect.stringContaining(sentence) as string });
    expect(refusal.message).toMatch(/^model\.safetensors is damaged: .*; download it again$/);
  });

  it('refuses bytes that are not UTF-8', () => {
    const header = Buffer.from('{"\xff": 1}', 'latin1');
    expect(refusalOf(() => parseHeader('model.safetensors', header, 0)).message).toContain('its header is not valid JSON in UTF-8');
  });

  it('answers whatever stands in a header with a layout that is whole or with data_loss', () => {
    const header = `{"__metadata__":{"format":"pt"},"a":${entry('F32', [2], 0, 8)},"b":${entry('BF16', [1, 3], 8, 14)}}`;
    fc.assert(fc.property(fc.nat(header.length - 1), fc.nat(255), fc.nat(20), (place, byte, dataBytes) => {
      const bytes = Buffer.from(header);
      bytes[place] = byte;
      try {
        expect(parseHeader('model.safetensors', bytes, dataBytes).at(-1)?.end ?? 0).toBe(dataBytes);
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'AppError', code: 'data_loss' });
      }
    }), { numRuns: 2000 });
  });
});

function refusalOf(act: () => unknown): AppError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}
