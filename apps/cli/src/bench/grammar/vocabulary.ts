import { buildVocabulary, type Vocabulary } from '@essaim/grammar';
import { type Random } from '../random.ts';

/** As tall as those of Mistral's models. */
export const VOCAB_SIZE = 131_072;
const LONGEST_BYTES = 24;

/** Every byte, then the tokens of the built-in model and, drawn at random, what two or three of them say together, none twice. Id 0 has no text. */
export function tallVocabulary(tokens: readonly Uint8Array[], random: Random): Vocabulary {
  const texts = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array): void => void (bytes.length > 0 && bytes.length <= LONGEST_BYTES && texts.set(Buffer.from(bytes).toString('latin1'), bytes));
  for (let byte = 0; byte < 256; byte++) add(Uint8Array.of(byte));
  for (const token of tokens) add(token);
  const drawn = (): Uint8Array => tokens[random.below(tokens.length)]!;
  while (texts.size < VOCAB_SIZE - 1) add(Buffer.concat(Array.from({ length: 2 + random.below(2) }, drawn)));
  return buildVocabulary([new Uint8Array(), ...texts.values()]);
}
