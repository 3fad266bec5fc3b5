import { mergePairs } from '../byte-pair/merge-pairs.ts';
import { textSplitter } from '../text-splitter.ts';
import { type SpecialToken, type Tokenizer } from '../tokenizer.ts';
import { type Piece, type SentencePieceFile } from './sentence-piece-file.ts';
import { toTokenizer } from './vocabulary.ts';

const utf8 = new TextEncoder();
/** What stands for a space inside pieces. */
const SPACE = '▁';
/** What the library writes for the unknown token, which no text becomes where bytes are tokens. */
const UNKNOWN = ' \u2047 ';

/** SentencePiece's BPE over a whole text, with bytes for what is in no piece. */
export function createSentencePieceTokenizer({ pieces, bosId, eosId }: SentencePieceFile): Tokenizer {
  const idsOf = (type: Piece['type']): [piece: Piece, id: number][] => pieces.map((piece, id): [Piece, number] => [piece, id]).filter(([piece]) => piece.type === type);
  const normal = new Map(idsOf('normal').map(([{ text }, id]) => [text, id]));
  const userDefined = new Map(idsOf('user defined').map(([{ text }, id]) => [text, id]));
  const byteIds = new Map(idsOf('byte').map(([{ text }, id]) => [Number.parseInt(text.slice(3, 5), 16), id]));
  const specialTokens = idsOf('control').map(([{ text }, id]) => ({ id, text }));
  const special = (wanted: number): SpecialToken | null => specialTokens.find(({ id }) => id === wanted) ?? null;

  const rankOf = (text: string): number | undefined => {
    const id = normal.get(text);
    return id === undefined ? undefined : -pieces[id]!.score;
  };
  const encodeByBytes = (text: string): number[] => Array.from(utf8.encode(text), (byte) => byteIds.get(byte)!);
  const encodePart = (part: string): number[] => {
    const defined = userDefined.get(part);
    if (defined !== undefined) return [defined];
    return mergePairs(part, characterStarts(part), rankOf).flatMap((piece) => normal.get(piece) ?? encodeByBytes(piece));
  };
  // These are found before all others and never joined.
  const split = textSplitter([...userDefined.keys()]);
  return toTokenizer({
    size: pieces.length, specialTokens, bosToken: special(bosId), eosToken: special(eosId), addsFirstSpace: true,
    bytesOf: (id) => pieceBytes(pieces[id]!),
    encodeText: (text) => (text === '' ? [] : split(SPACE + text.toWellFormed().replaceAll(' ', SPACE)).flatMap(encodePart)),
  });
}

function pieceBytes({ text, type }: Piece): Uint8Array {
  if (type === 'byte') return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16));
  if (type === 'unknown') return utf8.encode(UNKNOWN);
  return utf8.encode(type === 'control' ? text : text.replaceAll(SPACE, ' '));
}

function characterStarts(text: string): Uint32Array {
  const starts: number[] = [];
  for (let place = 0; place < text.length; place += text.codePointAt(place)! > 0xffff ? 2 : 1) starts.push(place);
  return Uint32Array.from(starts);
}
