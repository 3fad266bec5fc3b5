import { performance } from 'node:perf_hooks';
import { assert, type Constraint } from '@essaim/core';
import { compileConstraint, Matchers, type TokenMatcher, type Vocabulary } from '@essaim/grammar';
import { type Random } from '../random.ts';
import { median } from '../statistics.ts';
import { VOCAB_SIZE } from './vocabulary.ts';

/** Milliseconds of compiling, microseconds of masks. */
export interface GrammarFigures {
  readonly compileMs: number;
  /** Of an answer that is the first of its grammar. */
  readonly first: MaskTimes;
  /** Of one more, which finds most masks made. */
  readonly next: MaskTimes;
}

export interface MaskTimes {
  readonly tokens: number;
  readonly medianUs: number;
  readonly maxUs: number;
}

/** Longest answer. */
const MOST_TOKENS = 200;
const ROUNDS = 5;

/** Answers of a model that draws any token that may follow, with nothing remembered from other grammars. */
export function measureGrammar(constraint: Constraint, { vocabulary, random }: { readonly vocabulary: Vocabulary; readonly random: Random }): GrammarFigures {
  const compileMs = median(Array.from({ length: ROUNDS }, () => timeOf(() => compileConstraint(constraint)).ms));
  const matchers = new Matchers(vocabulary, VOCAB_SIZE);
  const [first, next] = [drawAnswer(matchers.open(constraint), random), drawAnswer(matchers.open(constraint), random)];
  return { compileMs, first, next };
}

function drawAnswer(matcher: TokenMatcher, random: Random): MaskTimes {
  const microseconds: number[] = [];
  while (!matcher.isOver && microseconds.length < MOST_TOKENS) {
    const { result: mask, ms } = timeOf(() => matcher.mask());
    microseconds.push(1_000 * ms);
    assert(matcher.accept(drawn(mask, random)), 'a token of the mask may follow');
  }
  return { tokens: microseconds.length, medianUs: median(microseconds), maxUs: Math.max(...microseconds) };
}

/** The first allowed id behind a random one. */
function drawn(mask: Uint32Array, random: Random): number {
  const start = random.below(VOCAB_SIZE);
  for (let step = 0; step < VOCAB_SIZE; step++) {
    const id = (start + step) % VOCAB_SIZE;
    if (((mask[id >>> 5]! >>> (id & 31)) & 1) === 1) return id;
  }
  throw new TypeError('something may follow');
}

function timeOf<T>(act: () => T): { readonly result: T; readonly ms: number } {
  const startMs = performance.now();
  const result = act();
  return { result, ms: performance.now() - startMs };
}
