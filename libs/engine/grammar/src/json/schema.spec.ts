import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accepts, drawAnswer, open, schema } from '../../test/answers.ts';
import { isValid } from '../../test/valid.ts';

const TREE = { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { name: { type: 'string', maxLength: 3 }, children: { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 } }, required: ['name'] } } };
const SHAPE = { oneOf: [{ type: 'object', properties: { kind: { const: 'circle' }, radius: { type: 'number', exclusiveMinimum: 0 } }, required: ['kind', 'radius'] }, { type: 'object', properties: { kind: { const: 'dot' } }, required: ['kind'] }] };

const bound = fc.integer({ min: -1_200, max: 1_200 });
const name = fc.constantFrom('name', 'age', 'na', 'é', 'a"b', 'x y', '');
const { any } = fc.letrec<{ any: unknown; object: object; leaf: object }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<object>({ type: 'string' }, { type: 'boolean' }, { type: 'null' }, { type: 'integer' }, { type: 'number' }, { type: ['string', 'null'] }, { type: 'object' }, { type: 'array' }, {}, { enum: ['a', 1, null, { b: [true] }] }, { const: 'é"\n' },
      { type: 'string', format: 'date' }, { type: 'string', format: 'date-time' }, { type: 'string', format: 'uuid' }, { type: 'string', format: 'email' }, { type: 'string', format: 'ipv4' }, { type: 'string', format: 'uri' }, { type: 'string', format: 'time' }, { type: 'string', format: 'duration' }, { type: 'string', format: 'hostname' }, { type: 'string', format: 'ipv6' }, { type: 'string', enum: ['a', 2] }),
    fc.tuple(fc.nat(3), fc.nat(3)).map(([min, more]) => ({ type: 'string', minLength: min, maxLength: min + more })),
    fc.constantFrom('^[a-c]{2,4}$', 'b', '^"|\\\\$', '^\\n[\\u0000-\\u0010]?$', '^(é|🙂)+$').map((pattern) => ({ type: 'string', pattern })),
    fc.tuple(bound, bound).map(([left, right]) => ({ type: 'integer', minimum: Math.min(left, right), maximum: Math.max(left, right) })),
    fc.tuple(bound, fc.integer({ min: 2, max: 1_200 }), fc.constantFrom(1, 10, 1_000, 1_000_000), fc.boolean(), fc.boolean()).map(([low, more, parts, openLow, openHigh]) => ({ type: 'number', [openLow ? 'exclusiveMinimum' : 'minimum']: low / parts, [openHigh ? 'exclusiveMaximum' : 'maximum']: (low + more) / parts })),
    bound.map((minimum) => ({ type: 'number', minimum })), bound.map((maximum) => ({ type: 'integer', maximum })),
    fc.constantFrom<object>(TREE.$defs.node.properties.name, SHAPE),
  ),
  object: fc.tuple(fc.dictionary(name, tie('any'), { maxKeys: 4 }), fc.constantFrom<unknown>(undefined, false, true, { type: 'boolean' }), fc.array(fc.nat(3), { maxLength: 3 })).map(([properties, additionalProperties, picks]) => ({
    type: 'object', properties, required: [...new Set(picks.flatMap((pick) => Object.keys(properties)[pick] ?? []))], ...(additionalProperties === undefined ? {} : { additionalProperties }),
  })),
  any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('object'), fc.tuple(tie('any'), fc.nat(2), fc.nat(2)).map(([items, min, more]) => ({ type: 'array', items, minItems: min, maxItems: min + more })),
    fc.tuple(fc.array(tie('leaf'), { minLength: 1, maxLength: 3 }), fc.nat(3)).map(([prefixItems, minItems]) => ({ type: 'array', prefixItems, items: false, minItems: Math.min(minItems, prefixItems.length) })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf, description: 'one of them' }))),
}));

describe('an answer held to a JSON schema', () => {
  it('of a model that draws at random is JSON and valid', () => {
    let whole = 0;
    fc.assert(fc.property(fc.oneof(any, fc.constantFrom<unknown>(TREE, SHAPE)), fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (asked, numbers) => {
      const answer = drawAnswer(open(schema(asked)), { random: () => numbers.next().value!, tokens: 60 });
      if (answer === null) return;
      whole++;
      expect([JSON.stringify(asked), answer, isValid(JSON.parse(answer), asked)]).toEqual([JSON.stringify(asked), answer, true]);
    }), { numRuns: 400, endOnFailure: true });
    expect(whole).toBeGreaterThan(350);
  });

  it.each([undefined, 2])('may be any JSON object, as JSON.stringify writes it with an indent of %s', (indent) => {
    fc.assert(fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 })), (value) => {
      const isLong = /\d{16}|\d\.\d{16}|e[+-]?\d{3}/.test(JSON.stringify(value));
      expect(isLong || accepts({ kind: 'json object' }, JSON.stringify(value, null, indent))).toBe(true);
    }));
    expect(accepts({ kind: 'json object' }, '[1]')).toBe(false);
  });

  it.each([
    [{ type: 'object', properties: { a: { type: 'integer' }, b: {} }, required: ['b'] }, ['{"b":1}', '{"a": 1, "b": [{}]}', '{\n  "a": -7,\n  "b": null\n}'], ['{"a":1}', '{"b":1,"a":1}', '{"b":1,"c":1}', '{"b":1,}', '{,"b":1}']],
    [{ type: 'object', properties: { a: { type: 'null' } }, additionalProperties: { type: 'boolean' } }, ['{}', '{"ab":true,"":false}', '{"a":null,"b":true}'], ['{"a":true}', '{"b":null}', '{"\\u0061":true}']],
    [{ type: 'object' }, ['{}', '{"a":[1,{"b":null}]}'], ['[]', 'null']],
    [{ properties: {}, additionalProperties: false }, ['{}', '{ }'], ['{"a":1}']],
    [{ type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], items: { const: 3 }, minItems: 1, maxItems: 4 }, ['[1]', '[1, 2]', '[1,2,3,3]'], ['[]', '[2]', '[1,2,3,3,3]', '[1,3]']],
    [{ type: 'string', minLength: 1, maxLength: 2 }, ['"a"', '"🙂é"', '"\\n\\u00e9"'], ['""', '"abc"', '"\\ud83d\\ude42"']],
    [{ type: 'integer', minimum: -12, exclusiveMaximum: 105 }, ['-12', '0', '104', '99'], ['-13', '105', '-0', '00', '1.0']],
    [{ type: 'number', minimum: 0, exclusiveMaximum: 1 }, ['0', '0.5', '0.000001', '0.0'], ['1', '-0.5', '1.0', '-0']],
    [{ type: 'number', exclusiveMinimum: -2, maximum: -1 }, ['-1', '-1.5', '-1.0', '-1.999999'], ['-2', '-2.0', '0', '-0.5']],
    [{ type: 'number', minimum: 0.25, exclusiveMaximum: 1.5 }, ['0.25', '0.250000', '0.250001', '0.3', '1', '1.0', '1.49', '1.499999'], ['0.2', '0', '0.249999', '1.5', '1.50', '1.6', '2', '-0.3']],
    [{ type: 'number', exclusiveMinimum: -0.5, maximum: 0.125 }, ['-0.4', '-0.499999', '0', '0.0', '0.125', '0.12', '0.1250'], ['-0.5', '-0.50', '-1', '0.126', '0.13', '0.2', '-0', '-0.0']],
    [{ type: 'number', minimum: 3.14, maximum: 3.15 }, ['3.14', '3.145', '3.15'], ['3.1', '3.139999', '3.150001', '3', '4']],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, ['"a"', 'null'], ['1']],
    [{ $ref: '#', title: 'of nothing', $defs: {} }, [], []],
    [{ allOf: [{ $ref: '#/definitions/a~1b' }], definitions: { 'a/b': { const: true } } }, ['true'], ['false']],
    [true, ['{"a":1}', '"x"', '1e5'], ['']],
  ])('%j takes what is valid and nothing else', (asked, valid, invalid) => {
    if (valid.length === 0) return void expect(() => open(schema(asked))).toThrow('begins with itself');
    expect(valid.filter((text) => !accepts(schema(asked), text))).toEqual([]);
    expect(invalid.filter((text) => accepts(schema(asked), text))).toEqual([]);
  });
});

describe('a schema that can\'t be followed', () => {
  const nested = Array.from({ length: 101 }).reduce<object>((inner) => ({ type: 'array', items: inner }), {});
  it.each<[unknown, string]>([
    [{ type: 'object', properties: { tags: { type: 'array', uniqueItems: true } } }, 'uniqueItems at #/properties/tags'], [{ type: 'integer', multipleOf: 3 }, 'multipleOf at #'], [{ not: {} }, 'not at #'], [{ type: 'object', patternProperties: {} }, 'patternProperties'],
    [{ items: { if: {} } }, 'if at #/items'], [{ type: 'string', nullable: true }, 'nullable'], [{ $ref: '#/$defs/a', type: 'string', $defs: { a: {} } }, 'type beside $ref'], [{ anyOf: [{}], properties: {} }, 'properties beside anyOf'],
    [{ allOf: [{}, {}] }, 'allOf with several'], [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'oneOf'], [{ $ref: 'https://example.org/a.json' }, 'leads out of it'], [{ $ref: '#/$defs/a' }, 'not there'], [false, 'allows nothing'],
    [{ type: 'text' }, 'unknown type'], [{ type: [] }, 'unknown type'], [{ type: 'string', format: 'colour' }, 'unknown format'], [{ type: 'string', pattern: '(?=a)' }, 'looks ahead'], [{ type: 'string', pattern: 'a', maxLength: 2 }, 'maxLength beside pattern'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, 'maxLength below'], [{ type: 'string', minLength: -1 }, 'minLength'], [{ type: 'string', minimum: 1 }, 'minimum at #, which means nothing'], [{ type: 'integer', minimum: 1.2, maximum: 1.8 }, 'no whole number between'],
    [{ type: 'number', minimum: 0.5000001 }, 'a bound at #'], [{ type: 'number', exclusiveMinimum: 2e9 }, 'a bound at #'], [{ type: 'number', minimum: 1.5, maximum: 1.25 }, 'no number between'], [{ type: 'number', exclusiveMinimum: 0.1, exclusiveMaximum: 0.100001 }, 'no answer can follow'], [{ type: 'number', minimum: 2, exclusiveMaximum: 2 }, 'no number between'], [{ type: 'integer', maximum: 1e16 }, '15 digits'], [{ type: 'array', items: [{}] }, 'items at #'],
    [{ type: 'array', minItems: 2, maxItems: 1 }, 'at most 1 items'], [{ type: 'object', properties: { a: {} }, required: ['b'] }, 'requires "b"'], [{ type: 'object', required: 'a' }, 'required at #'], [{ type: 'object', properties: [] }, 'properties at #'],
    [{ type: 'string', enum: [1] }, 'no value is valid'], [{ enum: 'a' }, 'enum at #'], ['a', 'no schema'], [nested, 'deep'], [{ type: 'string', minLength: 300_000 }, 'places'], [{ description: 'x'.repeat(70_000) }, 'characters together'],
  ])('%#: is refused with one sentence that says %s', (asked, reason) => {
    expect(() => open(schema(asked))).toThrow(expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(typeof reason === 'string' ? reason : '') as string }) as Error);
  });

  it('is refused where it is no JSON', () => {
    expect(() => open({ kind: 'json schema', schema: '{' })).toThrow('not valid JSON');
  });
});
