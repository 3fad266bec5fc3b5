import { describe, expect, it } from 'vitest';
import { finite, tokenText, withChosen } from './token-text.ts';

const tokens = [Uint8Array.of(0x61), Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xe2, 0x82, 0xac), new Uint8Array()];
const tokenizer = { tokenBytes: (id: number) => tokens[id]! };

describe('a token by itself', () => {
  it('is its text, or its bytes where they are no whole characters', () => {
    expect(tokens.map((_, id) => tokenText(tokenizer, id))).toEqual(['a', 'bytes:\\xe2\\x82', '€', '']);
  });

  it('has a log probability that JSON can say', () => {
    expect([finite(-0.5), finite(Number.NEGATIVE_INFINITY)]).toEqual([-0.5, -9999]);
  });

  it('is among its alternatives once', () => {
    const top = [{ id: 1, logprob: -0.1 }];
    expect(withChosen(1, { logprob: -0.1, top })).toEqual(top);
    expect(withChosen(7, { logprob: -9, top })).toEqual([...top, { id: 7, logprob: -9 }]);
  });
});
