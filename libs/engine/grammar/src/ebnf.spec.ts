import { describe, expect, it } from 'vitest';
import { accepts } from '../test/answers.ts';

const grammar = (ebnf: string) => ({ kind: 'grammar', ebnf }) as const;

const SUM = `
# Numbers and what they add up to.
root ::= sum "=" number
sum ::= sum "+" term | term   # a rule that begins with itself
term ::= number | "(" sum ")"
number ::= [1-9] [0-9]* | "0"
`;

describe('a grammar in EBNF', () => {
  it.each([['1+2=3', true], ['(1+(20))+3=0', true], ['1+=3', false], ['((1)=1', false], ['01=1', false]])('says of %s whether it is an answer: %s', (text, expected) => {
    expect(accepts(grammar(SUM), text)).toBe(expected);
  });

  it.each([
    ['root ::= "a\\n\\x62\\u00e9\\U0001F642\\"\\\\"', 'a\nbé🙂"\\', true],
    ['root ::= [^\\]a-c\\-]+', 'dé🙂', true],
    ['root ::= [^\\]a-c\\-]+', 'd-', false],
    ['root ::= ("ab" | "c"){2,3} "d"?', 'cabc', true],
    ['root ::= ("ab" | "c"){2,3} "d"?', 'cd', false],
    ['root ::= "a"{2,} b\nb ::= "" | "b"', 'aaa', true],
    ['root ::= a | b\na ::= "x" a | "x"\nb ::= "y"\n', 'xxxx', true],
    ['root ::= "[" (root ("," root)*)? "]"', '[[],[[]]]', true],
    ['root ::= "[" (root ("," root)*)? "]"', '[[],]', false],
    ['root::="a"|"b"', 'b', true],
    // Nothing leads where no end is.
    ['root ::= "ab" | "ac" endless\nendless ::= "d" endless', 'ab', true],
    ['root ::= "ab" | "ac" endless\nendless ::= "d" endless', 'ac', false],
    ['root ::= [-a]+', 'a-', true],
  ])('%j says of %j whether it is an answer: %s', (ebnf, text, expected) => {
    expect(accepts(grammar(ebnf), text)).toBe(expected);
  });

  it.each([
    ['', 'no rule root'], ['start ::= "a"', 'no rule root'], ['root ::= other', 'rule other'], ['root ::= "a"\nroot ::= "b"', 'twice'], ['root ::= "a', 'line that ends'], ['root ::= ("a"', 'opening parenthesis'],
    ['root ::= "a")', 'no rule of the form'], ['root = "a"', 'no rule of the form'], ['root ::= "a" !', 'means nothing'], ['root ::= "a"{3,1}', 'count'], ['root ::= [b-a]', 'range'], ['root ::= "\\q"', 'unknown escape'],
    ['root ::= TagDispatch(("a", b))', 'macro TagDispatch'], ['root ::= "a" (="b")', 'looks ahead'], ['root ::= a\na ::= b "x"\nb ::= c a\nc ::= "" | "c"', 'begins with itself'], ['root ::= root', 'begins with itself'],
    [`root ::= ${'('.repeat(101)}"a"${')'.repeat(101)}`, 'deep'], ['root ::= [^\\x00-\\U0010FFFF]', 'no answer can follow'], ['root ::= "a" root', 'no answer can follow'], ['root ::= ((("a"{1000} | "b"){1000}){1000} | ("c"{9999} "d"){9999} | "e"{999999})', 'places'],
  ])('refuses %j with one sentence', (ebnf, reason) => {
    expect(() => accepts(grammar(ebnf), '')).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(reason) as string }) as Error);
  });
});
