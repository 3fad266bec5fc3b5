import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSentencePieceFile } from './sentence-piece-file.ts';
import { createSentencePieceTokenizer } from './sentence-piece.ts';

type GivenPiece = readonly [text: string, type: number];
interface Given {
  readonly pieces?: readonly GivenPiece[];
  readonly modelType?: number;
  readonly byteFallback?: boolean;
  readonly charsMap?: string;
  readonly removesSpaces?: boolean;
}

const BYTES = Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 6] as const);
const PIECES: readonly GivenPiece[] = [['<unk>', 2], ['<s>', 3], ['</s>', 3], ...BYTES, ['▁a', 1], ['▁', 1], ['a', 1], ['[REF]', 4]];

function fileOf({ pieces = PIECES, modelType = 2, byteFallback = true, charsMap = '', removesSpaces = false }: Given = {}): Uint8Array {
  const writer = new BinaryWriter();
  pieces.forEach(([text, type], place) => {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(text).tag(2, WireType.Bit32).float(-place).tag(3, WireType.Varint).int32(type).join();
  });
  writer.tag(2, WireType.LengthDelimited).fork().tag(3, WireType.Varint).int32(modelType).tag(4, WireType.Varint).int32(pieces.length).tag(35, WireType.Varint).bool(byteFallback).join();
  writer.tag(3, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).string(charsMap).tag(4, WireType.Varint).bool(removesSpaces).join();
  return writer.finish();
}

describe('parseSentencePieceFile', () => {
  it('reads pieces in the order of their ids, and passes over what it does not need', () => {
    const { pieces, bosId, eosId } = parseSentencePieceFile(fileOf());
    expect(pieces.map(({ text }) => text)).toEqual(PIECES.map(([text]) => text));
    expect(pieces[3]).toEqual({ text: '<0x00>', score: -3, type: 'byte' });
    expect([bosId, eosId]).toEqual([1, 2]);
  });

  it.each([
    ['of another algorithm', { modelType: 1 }, 'BPE'],
    ['that knows no bytes', { byteFallback: false }, 'BPE'],
    ['with unused pieces', { pieces: [...PIECES, ['x', 5] as const] }, 'BPE'],
    ['that normalises texts', { charsMap: 'nfkc' }, 'changes texts'],
    ['that drops spaces', { removesSpaces: true }, 'changes texts'],
    ['without all bytes', { pieces: PIECES.filter(([text]) => text !== '<0x7F>') }, 'bytes'],
  ])('refuses a model %s', (_, given, sentence) => {
    expect(() => parseSentencePieceFile(fileOf(given))).toThrow(expect.objectContaining({ code: 'failed_precondition', message: expect.stringContaining(sentence) as string }));
  });

  it('refuses whatever is no such file with one sentence, and never hangs', () => {
    const whole = fileOf();
    const damaged = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.nat(whole.length - 1).map((length) => whole.slice(0, length)));
    fc.assert(fc.property(damaged, (bytes) => {
      expect(() => parseSentencePieceFile(bytes)).toThrow(expect.objectContaining({ code: 'failed_precondition' }));
    }));
  });
});

describe('a SentencePiece tokenizer', () => {
  const tokenizer = createSentencePieceTokenizer(parseSentencePieceFile(fileOf()));

  it('gives back any text that it encoded, but ▁, which is a space to it', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: false }))).toBe(text.replaceAll('▁', ' '));
    }));
  });

  it('finds pieces that users defined before all others, and never control tokens', () => {
    const ids = tokenizer.encode('<s>[REF]', { addSpecialTokens: false });
    expect(ids.at(-1)).toBe(PIECES.length - 1);
    expect(ids.some((id) => tokenizer.isSpecial(id))).toBe(false);
  });
});
