import { type Constraint } from '@essaim/core';
import { buildVocabulary, Matchers, type TokenMatcher } from '../src/index.ts';
import { idsOf } from './xgrammar.ts';

const utf8 = new TextEncoder();
/** Of a model that knows every byte, and some words. The first is no text: the end of an answer. */
export const WORDS = ['{"', '":', '": ', ', "', '"}', '},', '{}', '[]', '\n  ', 'true', 'null', 'name', 'age', '12', 'é', '日本', '🙂', ' the', '\\n', '\\u00', '0.', '-1', 'ab', 'abc', 'bc'];
export const TEXTS: readonly Uint8Array[] = [new Uint8Array(), ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ...WORDS.map((word) => utf8.encode(word))];
export const VOCABULARY = buildVocabulary(TEXTS);

export const open = (constraint: Constraint): TokenMatcher => new Matchers(VOCABULARY, TEXTS.length).open(constraint);
export const schema = (value: unknown): Constraint => ({ kind: 'json schema', schema: JSON.stringify(value) });

/** Whether the text is a whole answer, byte by byte. */
export function accepts(constraint: Constraint, text: string): boolean {
  const matcher = open(constraint);
  return utf8.encode(text).every((byte) => matcher.accept(byte + 1)) && matcher.isComplete;
}

/** Ids that may come next. */
export const allowed = (matcher: TokenMatcher): number[] => idsOf(matcher.mask(), TEXTS.length);

export const textOf = (ids: readonly number[]): string => Buffer.concat(ids.map((id) => TEXTS[id]!)).toString();

/** Ends whatever is open. */
const CLOSING = ['"', '}', ']', '0', 'a'].map((character) => character.charCodeAt(0) + 1);

/** An answer of a model that draws at random, and after so many tokens whatever ends it soonest; null where even that goes on. */
export function drawAnswer(matcher: TokenMatcher, { random, tokens, patience = 2_000 }: { readonly random: () => number; readonly tokens: number; readonly patience?: number }): string | null {
  const ids: number[] = [];
  while (!matcher.isOver) {
    const choices = allowed(matcher);
    if (matcher.isComplete && (choices.length === 0 || random() < 0.2 || ids.length >= tokens)) break;
    if (choices.length === 0) throw new Error(`nothing may follow ${textOf(ids)}`);
    if (ids.length >= patience) return null;
    const id = (ids.length >= tokens ? CLOSING.find((each) => choices.includes(each)) : undefined) ?? choices[Math.floor(random() * choices.length)]!;
    matcher.accept(id);
    ids.push(id);
  }
  return textOf(ids);
}
