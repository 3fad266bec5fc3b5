import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConstraint } from '../constraint.ts';
import { type CompiledGrammar } from '../compiled-grammar.ts';
import { type State } from '../states.ts';

interface Group {
  readonly name: string;
  readonly schema: unknown;
  readonly valid: readonly unknown[];
  readonly invalid: readonly unknown[];
}

const utf8 = new TextEncoder();
const suite = JSON.parse(readFileSync(new URL('../../test/json-schema-suite.json', import.meta.url), 'utf8')) as { readonly groups: readonly Group[] };

function takes({ states }: CompiledGrammar, text: string): boolean {
  const last = utf8.encode(text).reduce<State | null>((state, byte) => (state === null ? null : states.afterByte(state, byte)), states.start);
  return last?.isComplete ?? false;
}

/** Null where it is refused. */
function compiled(schema: unknown): CompiledGrammar | null {
  try {
    return compileConstraint({ kind: 'json schema', schema: JSON.stringify(schema) });
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'invalid_argument', message: expect.stringMatching(/^the (schema|pattern|rule) /) as string });
    return null;
  }
}

describe('the official suite of JSON schema', () => {
  const groups = suite.groups.map((group) => ({ ...group, grammar: compiled(group.schema) }));
  const followed = groups.filter(({ grammar }) => grammar !== null);

  it('has no invalid value that an answer could be, however it is written', () => {
    const wrong = followed.flatMap(({ name, invalid, grammar }) => invalid.flatMap((value) => [undefined, 2].filter((indent) => takes(grammar!, JSON.stringify(value, null, indent))).map(() => [name, value])));
    expect(wrong).toEqual([]);
  });

  it('has schemas of all keywords that are supported, with valid values that an answer can be', () => {
    const counts = followed.map(({ valid, grammar }) => valid.filter((value) => takes(grammar!, JSON.stringify(value))).length);
    expect([followed.length > 100, counts.reduce((sum, count) => sum + count, 0) > 180]).toEqual([true, true]);
  });

  it.each(['if-then-else', 'not', 'dependentSchemas', 'unevaluatedProperties', 'patternProperties', 'uniqueItems: uniqueItems validation', 'multipleOf'])('has schemas that are refused rather than half followed: %s', (name) => {
    expect(groups.filter((group) => group.name.startsWith(`${name}`) && group.grammar === null && !group.name.includes('false')).length).toBeGreaterThan(0);
  });
});
