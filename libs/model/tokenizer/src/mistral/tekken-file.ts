import { z } from 'zod';
import { AppError } from '@essaim/core';
import { type SpecialToken } from '../tokenizer.ts';
import { INSTRUCT_VERSIONS, type InstructVersion } from './instruct-format.ts';

/** What a tekken.json says (mistral-common's `Tekkenizer`): special tokens have the first ids, the vocabulary follows. */
export interface TekkenFile {
  readonly version: InstructVersion;
  /** Splits a text into the parts within which bytes are joined. */
  readonly pattern: RegExp;
  /** Bytes of each token of the vocabulary, one character a byte, in the order of their ranks. */
  readonly pieces: readonly string[];
  /** In the order of their ids, from 0. */
  readonly specialTokens: readonly SpecialToken[];
  /** Values of `reasoning_effort` that the model knows, and the one where none is asked for; null where it knows none. */
  readonly reasoningEfforts: { readonly values: readonly string[]; readonly fallback: string | null } | null;
}

const tokenSchema = z.object({ rank: z.int().min(0), token_bytes: z.base64() });
const specialSchema = z.object({ rank: z.int().min(0), token_str: z.string().min(1) });
const effortSchema = z.object({ values: z.array(z.string()), default: z.string().nullish() });
const fileSchema = z.object({
  config: z.object({
    pattern: z.string().min(1),
    default_vocab_size: z.int().min(1),
    default_num_special_tokens: z.int().min(1),
    version: z.enum(INSTRUCT_VERSIONS),
  }),
  vocab: z.array(tokenSchema).min(256),
  special_tokens: z.array(specialSchema).nullish(),
  model_settings_builder: z.object({ reasoning_effort: effortSchema.nullish() }).nullish(),
});

/** Of files that name none: all before v11 (`DEPRECATED_SPECIAL_TOKENS`). */
const UNNAMED_SPECIAL_TOKENS = [
  '<unk>', '<s>', '</s>', '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[TOOL_CALLS]',
  '[IMG]', '<pad>', '[IMG_BREAK]', '[IMG_END]', '[PREFIX]', '[MIDDLE]', '[SUFFIX]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]',
];

/** Fails with `failed_precondition` for anything but a tekken.json of a known version. */
export function parseTekkenFile(content: unknown): TekkenFile {
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusal(`at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'another form'}`);
  }
  const { config, vocab, special_tokens: named, model_settings_builder: settings } = parsed.data;
  const specialTokens = toSpecialTokens(named?.map((token) => [token.rank, token.token_str]), config.default_num_special_tokens);
  const size = config.default_vocab_size - config.default_num_special_tokens;
  if (size < 256 || size > vocab.length) throw refusal(`its vocabulary of ${vocab.length} tokens can't be cut to ${size}`);
  // A file may hold more tokens than its model has: the last ones are left out.
  const pieces = vocab.slice(0, size).map(({ rank, token_bytes: bytes }, place) => {
    if (rank !== place) throw refusal(`vocab[${place}] has rank ${rank}`);
    return atob(bytes);
  });
  if (pieces.slice(0, 256).some((piece, byte) => piece !== String.fromCharCode(byte))) throw refusal('its first 256 tokens are not the bytes');
  const efforts = settings?.reasoning_effort ?? null;
  return {
    version: config.version, pattern: toRegExp(config.pattern), pieces, specialTokens,
    reasoningEfforts: efforts === null ? null : { values: efforts.values, fallback: efforts.default ?? null },
  };
}

/** Ids up to `count` that the file does not name have a name too, so that every id means something. */
function toSpecialTokens(named: [rank: number, text: string][] | undefined, count: number): SpecialToken[] {
  const texts = new Map(named ?? UNNAMED_SPECIAL_TOKENS.slice(0, count).map((text, rank) => [rank, text]));
  const tokens = Array.from({ length: count }, (_, id) => ({ id, text: texts.get(id) ?? `<SPECIAL_${id}>` }));
  if (new Set(tokens.map(({ text }) => text)).size < count || texts.size < (named?.length ?? 0)) throw refusal('two of its special tokens are alike');
  if ([...texts.keys()].some((rank) => rank >= count)) throw refusal(`it names a special token beyond the ${count} that it has`);
  return tokens;
}

/**
 * The pattern is written for Rust's engines, whose \s is Unicode's White_Space; JavaScript's own \s is not: it lacks U+0085 and has
 * U+FEFF. Everything else that Mistral's patterns use means the same in both.
 */
function toRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\./gs, (escape) => (escape === '\\s' ? '\\p{White_Space}' : escape === '\\S' ? '\\P{White_Space}' : escape));
  try {
    return new RegExp(source, 'gu');
  } catch (cause) {
    throw new AppError('failed_precondition', 'tekken.json has a pattern that this version does not read: use a newer version of Essaim', { cause });
  }
}

const refusal = (what: string): AppError =>
  new AppError('failed_precondition', `tekken.json is not one that this version reads (${what}): download it again, or use a newer version of Essaim`);
