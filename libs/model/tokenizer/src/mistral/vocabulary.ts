import { decodeBytes, type SpecialToken, type Tokenizer } from '../tokenizer.ts';

/** What Tekken and SentencePiece have in common: text never becomes a special token, whatever it looks like. */
export interface Vocabulary {
  readonly size: number;
  readonly specialTokens: readonly SpecialToken[];
  readonly bosToken: SpecialToken | null;
  readonly eosToken: SpecialToken | null;
  /** UTF-8 of a token inside a text; of a special one, its name. */
  bytesOf(id: number): Uint8Array;
  encodeText(text: string): number[];
  /** The encoder puts a space before every text, which the decoding of a whole text takes away again. */
  readonly addsFirstSpace: boolean;
}

/** As mistral-common does it: every text piece of a prompt is encoded by itself. */
export function toTokenizer(vocabulary: Vocabulary): Tokenizer {
  const { size, specialTokens, bosToken, eosToken, addsFirstSpace, encodeText } = vocabulary;
  const specialById = new Map(specialTokens.map((token) => [token.id, token]));
  const specialByText = new Map(specialTokens.map((token) => [token.text, token]));
  const tokenBytes = (id: number): Uint8Array => (id < size ? vocabulary.bytesOf(id) : new Uint8Array());
  const beginning = bosToken === null ? [] : [bosToken];
  let longestTokenBytes = 1;
  for (let id = 0; id < size; id++) if (!specialById.has(id)) longestTokenBytes = Math.max(longestTokenBytes, tokenBytes(id).length);
  return {
    vocabSize: size, longestTokenBytes, bosToken, eosToken, beginning, specialTokens, tokenBytes,
    encode: (text, { addSpecialTokens }) => [...(addSpecialTokens ? beginning.map(({ id }) => id) : []), ...encodeText(text)],
    encodePieces: (pieces) => pieces.flatMap((piece) => (typeof piece === 'string' ? encodeText(piece) : [piece.id])),
    decode: (ids) => {
      const text = decodeBytes(ids.map(tokenBytes));
      return addsFirstSpace && !specialById.has(ids[0] ?? -1) ? text.replace(/^ /, '') : text;
    },
    isSpecial: (id) => specialById.has(id),
    specialToken: (text) => specialByText.get(text) ?? null,
  };
}
