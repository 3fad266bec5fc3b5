import { type Constraint } from '@essaim/core';

const schema = (value: object): Constraint => ({ kind: 'json schema', schema: JSON.stringify(value) });
const text = { type: 'string', maxLength: 200 };

/** What clients ask for, from the least to what is hard for a grammar. */
export const CASES: readonly { readonly name: string; readonly constraint: Constraint }[] = [
  { name: 'any JSON object', constraint: { kind: 'json object' } },
  { name: 'two members', constraint: schema({ type: 'object', required: ['name', 'age'], properties: { name: { type: 'string', maxLength: 30 }, age: { type: 'integer', minimum: 0, maximum: 120 } } }) },
  {
    name: '20 optional members',
    constraint: schema({ type: 'object', properties: Object.fromEntries(Array.from({ length: 20 }, (_, nth) => [`field${nth}`, nth % 2 === 0 ? text : { type: 'number' }])) }),
  },
  {
    name: 'nested lists',
    constraint: schema({
      type: 'array', maxItems: 20,
      items: { type: 'object', required: ['id', 'tags'], properties: { id: { type: 'string', format: 'uuid' }, tags: { type: 'array', items: { enum: ['red', 'green', 'blue'] }, maxItems: 5 }, when: { type: 'string', format: 'date-time' } } },
    }),
  },
  { name: 'text of 1,000', constraint: schema({ type: 'object', required: ['text'], properties: { text: { type: 'string', maxLength: 1000 } } }) },
  { name: 'a pattern', constraint: { kind: 'regex', pattern: '[A-Z][a-z]{2,20}(, [A-Z][a-z]{2,20}){0,9}\\.' } },
];
