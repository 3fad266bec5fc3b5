import { BinaryReader } from '@bufbuild/protobuf/wire';
import { AppError } from '@essaim/core';

/** `SentencePiece.Type` of sentencepiece_model.proto. */
const PIECE_TYPES = { 1: 'normal', 2: 'unknown', 3: 'control', 4: 'user defined', 5: 'unused', 6: 'byte' } as const;

export interface Piece {
  readonly text: string;
  /** The higher, the sooner it is joined. */
  readonly score: number;
  readonly type: (typeof PIECE_TYPES)[keyof typeof PIECE_TYPES];
}

/** What a tokenizer.model says: a BPE vocabulary that falls back on bytes, and puts a space before every text. Ids are places in the list. */
export interface SentencePieceFile {
  readonly pieces: readonly Piece[];
  readonly bosId: number;
  readonly eosId: number;
}

/** Fields of `ModelProto` and of what it holds, by number; those that change nothing here are passed over. */
const MODEL = { pieces: 1, trainer: 2, normalizer: 3 };
const PIECE = { text: 1, score: 2, type: 3 };
const TRAINER = { modelType: 3, byteFallback: 35, bosId: 41, eosId: 42 };
const NORMALIZER = { charsMap: 2, addsSpace: 3, removesSpaces: 4, escapesSpaces: 5 };
const BPE = 2;

/** Reads a message field by field: a handler takes a field's value off the reader. */
function readFields(reader: BinaryReader, end: number, handlers: Readonly<Record<number, () => void>>): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const handle = handlers[field];
    if (handle === undefined) reader.skip(wireType, field);
    else handle();
  }
}

/** Fails with `failed_precondition` for a file that is none, or of a kind that Mistral's models have not: those have a tokenizer.json. */
export function parseSentencePieceFile(bytes: Uint8Array): SentencePieceFile {
  const reader = new BinaryReader(bytes);
  const within = (handlers: Readonly<Record<number, () => void>>): void => {
    const length = reader.uint32();
    readFields(reader, reader.pos + length, handlers);
  };
  const pieces: Piece[] = [];
  const trainer = { modelType: 1, byteFallback: false, bosId: 1, eosId: 2 };
  const normalizer = { charsMap: 0, addsSpace: true, removesSpaces: true, escapesSpaces: true };
  try {
    readFields(reader, bytes.length, {
      [MODEL.pieces]: () => {
        const piece = { text: '', score: 0, type: 1 };
        within({
          [PIECE.text]: () => (piece.text = reader.string()),
          [PIECE.score]: () => (piece.score = reader.float()),
          [PIECE.type]: () => (piece.type = reader.int32()),
        });
        pieces.push({ ...piece, type: PIECE_TYPES[piece.type as keyof typeof PIECE_TYPES] });
      },
      [MODEL.trainer]: () => within({
        [TRAINER.modelType]: () => (trainer.modelType = reader.int32()),
        [TRAINER.byteFallback]: () => (trainer.byteFallback = reader.bool()),
        [TRAINER.bosId]: () => (trainer.bosId = reader.int32()),
        [TRAINER.eosId]: () => (trainer.eosId = reader.int32()),
      }),
      [MODEL.normalizer]: () => within({
        [NORMALIZER.charsMap]: () => (normalizer.charsMap = reader.bytes().length),
        [NORMALIZER.addsSpace]: () => (normalizer.addsSpace = reader.bool()),
        [NORMALIZER.removesSpaces]: () => (normalizer.removesSpaces = reader.bool()),
        [NORMALIZER.escapesSpaces]: () => (normalizer.escapesSpaces = reader.bool()),
      }),
    });
  } catch (cause) {
    throw refusal('it is no SentencePiece model', cause);
  }
  if (trainer.modelType !== BPE || !trainer.byteFallback || pieces.some(({ type }) => type === 'unused')) throw refusal('it is no BPE model with byte fallback');
  if (normalizer.charsMap > 0 || !normalizer.addsSpace || normalizer.removesSpaces || !normalizer.escapesSpaces) throw refusal('it changes texts before it reads them');
  if (pieces.filter(({ type }) => type === 'byte').length !== 256) throw refusal('it lacks some bytes');
  return { pieces, bosId: trainer.bosId, eosId: trainer.eosId };
}

const refusal = (what: string, cause?: unknown): AppError =>
  new AppError('failed_precondition', `the checkpoint's SentencePiece tokenizer is not one that this version reads (${what}): download it again, or use a checkpoint with a tokenizer.json`, { cause });
