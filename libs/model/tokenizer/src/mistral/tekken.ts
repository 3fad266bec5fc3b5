import { mergePairs } from '../byte-pair/merge-pairs.ts';
import { type Tokenizer } from '../tokenizer.ts';
import { type TekkenFile } from './tekken-file.ts';
import { toTokenizer } from './vocabulary.ts';

const utf8 = new TextEncoder();

/**
 * Byte-level byte-pair encoding as tiktoken does it, over Mistral's own vocabulary: the same ids. tiktoken itself takes the square of
 * the length of a run without a break, so that one request of 100 thousand letters would hold up all others for seconds.
 */
export function createTekkenTokenizer({ pattern, pieces, specialTokens }: Pick<TekkenFile, 'pattern' | 'pieces' | 'specialTokens'>): Tokenizer {
  const first = specialTokens.length;
  const ranks = new Map(pieces.map((piece, rank) => [piece, rank]));
  const rankOf = (piece: string): number | undefined => ranks.get(piece);
  const named = (name: string): (typeof specialTokens)[number] | null => specialTokens.find(({ text }) => text === name) ?? null;

  const encodePart = (part: string): number[] => {
    const bytes = Buffer.from(part, 'utf8').toString('latin1');
    const whole = ranks.get(bytes);
    if (whole !== undefined) return [first + whole];
    return mergePairs(bytes, Uint32Array.from(bytes, (_, place) => place), rankOf).map((piece) => first + ranks.get(piece)!);
  };
  return toTokenizer({
    size: first + pieces.length, specialTokens, bosToken: named('<s>'), eosToken: named('</s>'), addsFirstSpace: false,
    bytesOf: (id) => (id < first ? utf8.encode(specialTokens[id]!.text) : Buffer.from(pieces[id - first]!, 'latin1')),
    encodeText: (text) => (text.toWellFormed().match(pattern) ?? []).flatMap(encodePart),
  });
}
