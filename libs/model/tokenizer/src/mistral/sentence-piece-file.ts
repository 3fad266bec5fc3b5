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

/** `TrainerSpec` and `NormalizerSpec`, with the values that stand for absent fields. */
interface Specs {
  modelType: number;
  byteFallback: boolean;
  bosId: number;
  eosId: number;
  charsMapBytes: number;
  addsSpace: boolean;
  removesSpaces: boolean;
  escapesSpaces: boolean;
}
const BPE = 2;

/** Fails with `failed_precondition` for a file that is none, or of a kind that Mistral's models have not: those have a tokenizer.json. */
export function parseSentencePieceFile(bytes: Uint8Array): SentencePieceFile {
  const pieces: Piece[] = [];
  const specs: Specs = { modelType: 1, byteFallback: false, bosId: 1, eosId: 2, charsMapBytes: 0, addsSpace: true, removesSpaces: true, escapesSpaces: true };
  try {
    readModel(new BinaryReader(bytes), pieces, specs);
  } catch (cause) {
    throw refusal('it is no SentencePiece model', cause);
  }
  if (specs.modelType !== BPE || !specs.byteFallback || pieces.some(({ type }) => type === 'unused')) throw refusal('it is no BPE model with byte fallback');
  if (specs.charsMapBytes > 0 || !specs.addsSpace || specs.removesSpaces || !specs.escapesSpaces) throw refusal('it changes texts before it reads them');
  if (pieces.filter(({ type }) => type === 'byte').length !== 256) throw refusal('it lacks some bytes');
  return { pieces, bosId: specs.bosId, eosId: specs.eosId };
}

/** What takes the value of a field off the reader, by the field's number; other fields change nothing here and are passed over. */
type Handlers = Readonly<Record<number, () => void>>;

/** `ModelProto` of sentencepiece_model.proto. */
function readModel(reader: BinaryReader, pieces: Piece[], specs: Specs): void {
  const message = (handlers: Handlers) => (): void => readFields(reader, reader.uint32() + reader.pos, handlers);
  readFields(reader, reader.len, {
    1: () => pieces.push(readPiece(reader)),
    2: message({
      3: () => (specs.modelType = reader.int32()),
      35: () => (specs.byteFallback = reader.bool()),
      41: () => (specs.bosId = reader.int32()),
      42: () => (specs.eosId = reader.int32()),
    }),
    3: message({
      2: () => (specs.charsMapBytes = reader.bytes().length),
      3: () => (specs.addsSpace = reader.bool()),
      4: () => (specs.removesSpaces = reader.bool()),
      5: () => (specs.escapesSpaces = reader.bool()),
    }),
  });
}

function readPiece(reader: BinaryReader): Piece {
  const piece = { text: '', score: 0, type: 1 };
  readFields(reader, reader.uint32() + reader.pos, {
    1: () => (piece.text = reader.string()),
    2: () => (piece.score = reader.float()),
    3: () => (piece.type = reader.int32()),
  });
  return { ...piece, type: PIECE_TYPES[piece.type as keyof typeof PIECE_TYPES] };
}

function readFields(reader: BinaryReader, end: number, handlers: Handlers): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const handle = handlers[field];
    if (handle === undefined) reader.skip(wireType, field);
    else handle();
  }
}

const refusal = (what: string, cause?: unknown): AppError =>
  new AppError('failed_precondition', `the checkpoint's SentencePiece tokenizer is not one that this version reads (${what}): download it again, or use a checkpoint with a tokenizer.json`, { cause });
