import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Constraint } from '@essaim/core';
import { allowed, drawAnswer, open, schema, textOf, TEXTS, VOCABULARY, WORDS } from '../test/answers.ts';
import { END, Oracle } from '../test/xgrammar.ts';
import { buildVocabulary, Matchers } from './index.ts';

const GRAMMARS: readonly Constraint[] = [
  { kind: 'json object' }, { kind: 'regex', pattern: '.*' }, { kind: 'regex', pattern: '[^"\\\\]{0,40}"' }, { kind: 'regex', pattern: '(ab|abc|bc|\\d+)*' }, { kind: 'regex', pattern: '[éa-z🙂]{1,70}' },
  { kind: 'regex', pattern: '([^"\\\\]{0,3}",?)*' }, { kind: 'regex', pattern: '([^"\\\\]{3}|[^"\\\\][é-🙂]{0,4})' }, schema({ type: 'array', items: { type: 'string', maxLength: 4 } }),
  schema({ type: 'object', properties: { name: { type: 'string', maxLength: 40 }, age: { type: 'integer' } }, additionalProperties: { type: 'string' } }),
  { kind: 'grammar', ebnf: 'root ::= "(" root ")" | [a-c]+ | root "日本"' },
];
const drawer = (numbers: Iterator<number>) => ({ random: () => numbers.next().value as number, tokens: 40, patience: 60 });
const numbers = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));

describe('what may follow', () => {
  it('is every token whose bytes may follow one after the other, and no other', () => {
    fc.assert(fc.property(fc.constantFrom(...GRAMMARS), numbers, (constraint, stream) => {
      const matcher = open(constraint);
      for (let step = 0; step < 12 && !matcher.isOver; step++) {
        const mask = allowed(matcher);
        const byBytes = TEXTS.flatMap((text, id) => (text.length > 0 && matcher.reach([...text].map((byte) => byte + 1)) === text.length ? [id] : []));
        expect(mask).toEqual(byBytes);
        if (mask.length === 0) return;
        const id = mask[Math.floor(stream.next().value! * mask.length)]!;
        expect(matcher.reach([id, END])).toBe(1);
        expect([matcher.accept(END), matcher.accept(id)]).toEqual([false, true]);
      }
    }), { numRuns: 100 });
  });

  it('is the same for each of many answers side by side as for one alone', () => {
    const matchers = new Matchers(VOCABULARY, TEXTS.length);
    const seeds = Array.from({ length: 21 }, (_, seed) => seed);
    const randomOf = (seed: number) => () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    const alone = seeds.map((seed) => drawAnswer(open(GRAMMARS[seed % GRAMMARS.length]!), { random: randomOf(seed), tokens: 30, patience: 300 }));
    const shared = seeds.map((seed) => drawAnswer(matchers.open(GRAMMARS[seed % GRAMMARS.length]!), { random: randomOf(seed), tokens: 30, patience: 300 }));
    expect(shared).toEqual(alone);
  });

  it('is found within bounds: what would take longer is refused', () => {
    const matcher = open({ kind: 'regex', pattern: '([ab]{0,200}(a|b)?){0,200}c' });
    expect(() => {
      for (let step = 0; step < 100 && allowed(matcher).length > 0; step++) matcher.accept('a'.charCodeAt(0) + 1);
    }).toThrow(/simplify|ambiguous/);
  });

  it('has tokens that are no text where the grammar names them, and only there', () => {
    const vocabulary = buildVocabulary([new Uint8Array(), Uint8Array.of(97), new Uint8Array()]);
    const matcher = new Matchers(vocabulary, 40).open({ kind: 'sequence', parts: [{ kind: 'token', id: 2 }, { kind: 'text', text: 'a' }, { kind: 'repeat', item: { kind: 'choice', options: [{ kind: 'token', id: 0 }, { kind: 'token', id: 2 }] }, min: 0, max: 2 }] });
    const seen = [[...matcher.mask()]];
    for (const id of [2, 1, 0, 2]) {
      expect(matcher.accept(id)).toBe(true);
      seen.push([...matcher.mask()]);
    }
    expect(seen).toEqual([[0b100, 0], [0b010, 0], [0b101, 0], [0b101, 0], [0, 0]]);
    expect(matcher.isOver).toBe(true);
  });

  it('is nothing where the vocabulary has no word for it', () => {
    const matcher = new Matchers(buildVocabulary([Uint8Array.of(97)]), 1).open({ kind: 'regex', pattern: 'ab' });
    matcher.accept(0);
    expect([[...matcher.mask()], matcher.isComplete]).toEqual([[0], false]);
  });
});

describe('beside xgrammar', () => {
  let oracle: Oracle;
  const tokens = ['<end>', ...Array.from({ length: 95 }, (_, code) => String.fromCharCode(32 + code)), ...WORDS, '\n'];
  beforeAll(async () => void (oracle = await Oracle.over(tokens)));
  const utf8 = new TextEncoder();
  const vocabulary = buildVocabulary(tokens.map((token, id) => (id === END ? new Uint8Array() : utf8.encode(token))));

  it.each<[string, Constraint]>([
    ['phone numbers', { kind: 'regex', pattern: '[0-9]{3}-[0-9]{4}' }], ['words', { kind: 'regex', pattern: '(ab|abc|bc)+ the( [a-z]{1,9})?' }], ['anything but quotes', { kind: 'regex', pattern: '"[^"]*"' }], ['letters of two alphabets', { kind: 'grammar', ebnf: 'root ::= ("é" | "日" "本" | [a-z])+ "."?' }],
    ['sums', { kind: 'grammar', ebnf: 'root ::= root "+" term | term\nterm ::= [0-9]+ | "(" root ")"' }], ['nested lists', { kind: 'grammar', ebnf: 'root ::= "[" (item ("," item)*)? "]"\nitem ::= root | "true" | "null"' }],
    ['counts', { kind: 'grammar', ebnf: 'root ::= ("ab" | "c"){2,4} "-1"?' }], ['what is longer than a word', { kind: 'grammar', ebnf: 'root ::= "name: " [a-f ]{1,12} "\\n  " root | "end"' }],
  ])('%s are the same tokens after the same tokens, and end at the same places', async (_name, constraint) => {
    const matchers = new Matchers(vocabulary, tokens.length);
    for (let seed = 1; seed <= 12; seed++) {
      const theirs = constraint.kind === 'regex' ? await oracle.ofRegex(constraint.pattern) : await oracle.ofEbnf((constraint as Extract<Constraint, { kind: 'grammar' }>).ebnf);
      const ours = matchers.open(constraint);
      for (let step = 0, random = seed; step < 30 && !ours.isOver; step++) {
        const mask = tokens.flatMap((_token, id) => (ours.reach([id]) === 1 ? [id] : []));
        const bits = ours.mask();
        expect(mask).toEqual(tokens.flatMap((_token, id) => ((bits[id >>> 5]! >>> (id & 31)) & 1 ? [id] : [])));
        expect([...(ours.isComplete ? [END] : []), ...mask]).toEqual(await theirs.allowed());
        random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
        const id = mask[random % mask.length]!;
        expect([ours.accept(id), theirs.accept(id)]).toEqual([true, true]);
      }
      if (ours.isOver) expect(await theirs.allowed()).toEqual([END]);
    }
  });
});

it('an answer drawn from a grammar is one that the grammar takes', () => {
  fc.assert(fc.property(fc.constantFrom(...GRAMMARS), numbers, (constraint, stream) => {
    const answer = drawAnswer(open(constraint), drawer(stream));
    if (answer === null || answer.includes('\ufffd')) return;
    const matcher = open(constraint);
    const ids = [...new TextEncoder().encode(answer)].map((byte) => byte + 1);
    expect([matcher.reach(ids), textOf(ids)]).toEqual([ids.length, answer]);
  }), { numRuns: 50 });
});
