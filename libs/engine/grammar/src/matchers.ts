import { type Constraint } from '@essaim/core';
import { GrammarCache } from './grammar-cache.ts';
import { Masks } from './masks.ts';
import { TokenMatcher } from './token-matcher.ts';
import { type Vocabulary } from './vocabulary.ts';

const MASK_BYTES = 64 << 20;

/** Follows answers of one model. */
export class Matchers {
  readonly #grammars = new GrammarCache();
  readonly #masks: Masks;

  /** @param vocabSize of the model's logits, at least that of `vocabulary` */
  constructor(vocabulary: Vocabulary, vocabSize: number) {
    this.#masks = new Masks(vocabulary, { vocabSize, maxBytes: MASK_BYTES });
  }

  /** Fails with `invalid_argument` for a constraint that can't be followed. */
  open(constraint: Constraint): TokenMatcher {
    return new TokenMatcher(this.#grammars.of(constraint), this.#masks);
  }
}
