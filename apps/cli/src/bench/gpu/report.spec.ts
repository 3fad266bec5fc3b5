import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { type ModelRow, type Omission, type RivalNote } from './findings.ts';
import { modelLines } from './report.ts';

const STEP = { steps: 127, stepMs: 10.05, deviceMs: 6, hostMs: 3.25, transferMs: 0.8, runs: 70, answers: 18, uploadedBytes: 5_000, downloadedBytes: 6_000 };
const row = (name: string, median: number, shares: Partial<ModelRow['shares']> = {}): ModelRow =>
  ({ model: 'synthetic', engine: 'essaim', form: 'int4', name, unit: 'tokens/s', median, min: 0.9 * median, max: 1.1 * median, shares: { ofCopyRate: null, ofProductRate: null, ...shares }, step: STEP, beside: {} });
const omission = (form: string, rest: Partial<Omission>): Omission => ({ model: 'synthetic', engine: 'essaim', form, name: null, kind: 'refused', reason: 'the card has no float16', ...rest });

it('a model has its rows, and a line for each reason why others are missing', () => {
  const omissions = [omission('int4', { name: 'decode-32', kind: 'failed', reason: 'the worker is gone' }), omission('int4-f16', {}), omission('f16', {})];
  const lines = modelLines('synthetic', { rows: [row('decode-1', 99.51, { ofCopyRate: 0.514 }), row('prefill-512', 2345.6, { ofProductRate: 0.256 })], rivals: [], omissions });
  expect(stripVTControlCharacters(lines.join('\n'))).toMatchInlineSnapshot(`
    "
    synthetic
    ┌─────────────┬─────────────┬─────────────────────┬─────────┬────────────┬──────────┬────────┬──────┬──────────┐
    │             │             │            tokens/s │ of copy │ of product │ step, ms │ device │ host │ transfer │
    ├─────────────┼─────────────┼─────────────────────┼─────────┼────────────┼──────────┼────────┼──────┼──────────┤
    │ Essaim int4 │ decode-1    │  99.5 (89.6 to 109) │    51 % │            │     10.1 │   6.00 │ 3.25 │    0.800 │
    │ Essaim int4 │ prefill-512 │ 2346 (2111 to 2580) │         │       26 % │     10.1 │   6.00 │ 3.25 │    0.800 │
    └─────────────┴─────────────┴─────────────────────┴─────────┴────────────┴──────────┴────────┴──────┴──────────┘
    Essaim int4 decode-32 failed: the worker is gone
    Essaim int4-f16, Essaim f16 not measured: the card has no float16"
  `);
});

it('a model without any row has no table', () => {
  expect(modelLines('synthetic', { rows: [], rivals: [], omissions: [omission('f16', {})] }).slice(2)).toEqual(['Essaim f16 not measured: the card has no float16']);
});

it('what was measured beside it has columns, and what it was a line', () => {
  const beside: ModelRow['beside'] = { transformers: { median: 30.04, min: 29, max: 31, ratio: { median: 3.312, min: 3.2, max: 3.4 } } };
  const rivals = ['int4', 'f16'].map((form): RivalNote => ({ model: 'synthetic', engine: 'transformers', form, about: 'transformers 5' }));
  const lines = modelLines('synthetic', { rows: [{ ...row('decode-1', 99.51), beside }, row('decode-8', 500)], rivals, omissions: [omission('int4', { engine: 'llama.cpp', reason: 'there is no npm in the path' })] });
  expect(stripVTControlCharacters(lines.join('\n'))).toMatchInlineSnapshot(`
    "
    synthetic
    ┌─────────────┬──────────┬────────────────────┬─────────┬────────────┬──────────┬────────┬──────┬──────────┬──────────────┬─────────────────────┐
    │             │          │           tokens/s │ of copy │ of product │ step, ms │ device │ host │ transfer │ transformers │               ratio │
    ├─────────────┼──────────┼────────────────────┼─────────┼────────────┼──────────┼────────┼──────┼──────────┼──────────────┼─────────────────────┤
    │ Essaim int4 │ decode-1 │ 99.5 (89.6 to 109) │         │            │     10.1 │   6.00 │ 3.25 │    0.800 │         30.0 │ 3.31 (3.20 to 3.40) │
    │ Essaim int4 │ decode-8 │   500 (450 to 550) │         │            │     10.1 │   6.00 │ 3.25 │    0.800 │              │                     │
    └─────────────┴──────────┴────────────────────┴─────────┴────────────┴──────────┴────────┴──────┴──────────┴──────────────┴─────────────────────┘
    beside int4, f16: transformers 5
    llama.cpp beside int4 not measured: there is no npm in the path"
  `);
});
