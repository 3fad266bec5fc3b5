import { createRequire } from 'node:module';
import type * as Xgrammar from '@mlc-ai/web-xgrammar';

/**
 * The WebAssembly build of xgrammar, the oracle of these specs, but for sets of characters beyond ASCII, which this build gets wrong. Its
 * file is CommonJS under the name of a module: it looks for what CommonJS has, also later, and leaves itself in the global scope.
 */
export async function loadXgrammar(): Promise<typeof Xgrammar> {
  const scope = globalThis as { require?: NodeJS.Require; __filename?: string; xgrammar?: typeof Xgrammar };
  scope.require = createRequire(import.meta.url);
  scope.__filename = import.meta.filename;
  await import('@mlc-ai/web-xgrammar');
  return scope.xgrammar!;
}

export const END = 0;

/** Which of the ids may follow after some, as xgrammar sees it; the end of the answer is id 0. */
export class Oracle {
  readonly #xgrammar: typeof Xgrammar;
  readonly #compiler: Xgrammar.GrammarCompiler;
  readonly #vocabSize: number;

  private constructor(xgrammar: typeof Xgrammar, compiler: Xgrammar.GrammarCompiler, vocabSize: number) {
    this.#xgrammar = xgrammar;
    this.#compiler = compiler;
    this.#vocabSize = vocabSize;
  }

  /** @param tokens the first is the end of the answer, whatever it says */
  static async over(tokens: readonly string[]): Promise<Oracle> {
    const xgrammar = await loadXgrammar();
    const info = await xgrammar.TokenizerInfo.createTokenizerInfo([...tokens], 'raw', false, tokens.length, [END]);
    return new Oracle(xgrammar, await xgrammar.GrammarCompiler.createGrammarCompiler(info, false), tokens.length);
  }

  async ofEbnf(ebnf: string): Promise<OracleMatcher> {
    return this.#matcher(await this.#compiler.compileGrammar(await this.#xgrammar.Grammar.fromEBNF(ebnf)));
  }

  async ofRegex(pattern: string): Promise<OracleMatcher> {
    return this.#matcher(await this.#compiler.compileStructuralTag(JSON.stringify({ type: 'structural_tag', format: { type: 'regex', pattern } })));
  }

  async #matcher(compiled: Xgrammar.CompiledGrammar): Promise<OracleMatcher> {
    return new OracleMatcher(await this.#xgrammar.GrammarMatcher.createGrammarMatcher(compiled), this.#vocabSize);
  }
}

export class OracleMatcher {
  readonly #matcher: Xgrammar.GrammarMatcher;
  readonly #vocabSize: number;

  constructor(matcher: Xgrammar.GrammarMatcher, vocabSize: number) {
    this.#matcher = matcher;
    this.#vocabSize = vocabSize;
  }

  async allowed(): Promise<number[]> {
    return idsOf(await this.#matcher.getNextTokenBitmask(), this.#vocabSize);
  }

  accept(id: number): boolean {
    return this.#matcher.acceptToken(id);
  }
}

export const idsOf = (mask: Int32Array | Uint32Array, vocabSize: number): number[] =>
  Array.from({ length: vocabSize }, (_, id) => id).filter((id) => ((mask[id >>> 5]! >>> (id & 31)) & 1) === 1);
