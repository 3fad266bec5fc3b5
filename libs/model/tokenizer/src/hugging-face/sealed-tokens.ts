import { z } from 'zod';
import { type SpecialToken } from '../tokenizer.ts';

const addedSchema = z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().catch(false) });
const fileSchema = z.looseObject({
  added_tokens: z.array(addedSchema).catch([]),
  model: z.looseObject({ vocab: z.unknown(), unk_token: z.unknown() }),
});

/** A tokenizer.json whose special tokens have names that no text can hold. */
export interface SealedTokenizer {
  readonly tokenizer: object;
  /** The special tokens under their own names. */
  readonly specialTokens: readonly SpecialToken[];
  /** Ids of all tokens that the file adds to its vocabulary, special or not. */
  readonly addedIds: ReadonlySet<number>;
  /** The name of a special token in the sealed file. */
  nameOf(token: SpecialToken): string;
}

/** A lone half of a surrogate pair, which well-formed text never has, on both sides of the id. */
const sealedName = ({ id }: SpecialToken): string => `\uDC00${id}\uDC00`;

/**
 * The library finds special tokens wherever their names stand in a text, a client's own words included. Under names that no text can
 * hold it finds only those that a prompt was given on purpose. Null for what has not the form of a tokenizer.json.
 */
export function sealSpecialTokens(tokenizer: object): SealedTokenizer | null {
  const parsed = fileSchema.safeParse(tokenizer);
  if (!parsed.success) return null;
  const { added_tokens: added, model } = parsed.data;
  const specialTokens = added.filter(({ special }) => special).map(({ id, content }) => ({ id, text: content }));
  const sealed = new Map(specialTokens.map((token) => [token.text, sealedName(token)]));
  const rename = (name: string): string => sealed.get(name) ?? name;
  const processor = 'post_processor' in tokenizer ? renameAll(tokenizer.post_processor, rename) : null;
  return {
    specialTokens,
    addedIds: new Set(added.map(({ id }) => id)),
    nameOf: sealedName,
    tokenizer: {
      ...parsed.data,
      added_tokens: added.map((token) => ({ ...token, content: token.special ? rename(token.content) : token.content })),
      model: { ...model, vocab: renameKeys(model.vocab, rename), unk_token: typeof model.unk_token === 'string' ? rename(model.unk_token) : model.unk_token },
      post_processor: processor,
    },
  };
}

/** Of a BPE model; other kinds keep lists, and the decoder of such a model is refused anyway. */
function renameKeys(vocab: unknown, rename: (name: string) => string): unknown {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) return vocab;
  return Object.fromEntries(Object.entries(vocab).map(([name, id]) => [rename(name), id]));
}

/** The post-processor names special tokens in keys and in values, at any depth. */
function renameAll(value: unknown, rename: (name: string) => string): unknown {
  if (typeof value === 'string') return rename(value);
  if (Array.isArray(value)) return value.map((each) => renameAll(each, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [rename(key), renameAll(each, rename)]));
}
