export { compileConstraint } from './constraint.ts';
export { GrammarCache } from './grammar-cache.ts';
export { Matchers } from './matchers.ts';
export { type TokenMatcher } from './token-matcher.ts';
export { buildVocabulary, type TokenTree, type Vocabulary } from './vocabulary.ts';
