import { afterEach, describe, expect, it, vi } from 'vitest';
import { choiceVariable, flagVariable, portVariable, textVariable, wholeVariable } from './index.ts';

const NAME = 'ESSAIM_SPEC';

afterEach(() => void vi.unstubAllEnvs());

/** Reads the variable while it has this value; undefined takes it away. */
function reading<T>(value: string | undefined, read: (name: string) => T): T {
  vi.stubEnv(NAME, value);
  return read(NAME);
}

const refusal = (reason: string): object => ({ name: 'AppError', code: 'invalid_argument', message: `the variable ${NAME} is ${reason}` });

describe('a variable', () => {
  it.each([
    ['a text', textVariable, 'été 1', 'été 1'],
    ['a port', portVariable, '8090', 8090],
    ['a port that the system chooses', portVariable, '0', 0],
    ['the highest port', portVariable, '65535', 65535],
    ['the lower bound', (name: string) => wholeVariable(name, { from: 2, to: 4 }), '2', 2],
    ['the upper bound', (name: string) => wholeVariable(name, { from: 2, to: 4 }), '4', 4],
    ['a choice', (name: string) => choiceVariable(name, ['int8', 'int4']), 'int4', 'int4'],
    ['a flag that is on', flagVariable, '1', true],
    ['a flag that is true', flagVariable, 'true', true],
    ['a flag that is off', flagVariable, '0', false],
    ['a flag that is false', flagVariable, 'false', false],
    ['an empty flag', flagVariable, '', false],
    ['an absent flag', flagVariable, undefined, false],
  ])('is read as %s', (_what, read: (name: string) => unknown, value, expected) => expect(reading(value, read)).toBe(expected));

  it.each([undefined, ''])('that is needed is missed when it is %j', (value) => {
    const reads: ((name: string) => unknown)[] = [textVariable, portVariable, (name) => choiceVariable(name, ['a'])];
    for (const read of reads) {
      expect(() => reading(value, read)).toThrow(expect.objectContaining(refusal('missing: set it')));
    }
  });

  it.each(['65536', '-1', '1.5', '0x10', '1e3', ' 1', 'many', '99999999999999999999'])('is refused as a port when it is %j', (value) => {
    expect(() => reading(value, portVariable)).toThrow(expect.objectContaining(refusal(`'${value}': set it to a whole number from 0 to 65535`)));
  });

  it('is refused when it is none of the choices, which it names', () => {
    expect(() => reading('int2', (name) => choiceVariable(name, ['int8', 'int4']))).toThrow(expect.objectContaining(refusal("'int2': set it to one of int8, int4")));
  });

  it('is refused as a flag when it is another word', () => {
    expect(() => reading('yes', flagVariable)).toThrow(expect.objectContaining(refusal("'yes': set it to 1 or 0")));
  });
});
