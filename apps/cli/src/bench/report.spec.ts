import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Machine } from './machine.ts';
import { type BenchResult, machineLine, modelLine, rowTable, threadsLine, writeJson } from './report.ts';
import { rowsOf } from './rows.ts';
import { SYNTHETIC_MIXTRAL } from './synthetic/model.ts';
import { WORKLOAD } from './workload.ts';

const MACHINE: Machine = { processor: 'A processor', cores: 2, memoryBytes: 25e9, system: 'linux x64', node: '24.0.0' };
const ROUNDS = [
  { one: { 'decode, 1 stream': 70.123, 'start, warm': 1.234, 'expert calls, remote': 0 }, three: { 'decode, 1 stream': 140.2, 'start, warm': 2.468, 'expert calls, remote': 8 } },
  { one: { 'decode, 1 stream': 80, 'start, warm': 1.234, 'expert calls, remote': 0 }, three: { 'decode, 1 stream': 120, 'start, warm': 2.468, 'expert calls, remote': 8 } },
];

describe('for people', () => {
  it('a table has medians, bounds where they differ, and no ratio to nothing', () => {
    expect(`\n${stripVTControlCharacters(rowTable(rowsOf(ROUNDS)))}`).toMatchInlineSnapshot(`
      "
      ┌──────────────────────┬───────────┬─────────────────────┬──────────────────┬─────────────────────┐
      │                      │ unit      │            1 worker │        3 workers │              3 to 1 │
      ├──────────────────────┼───────────┼─────────────────────┼──────────────────┼─────────────────────┤
      │ decode, 1 stream     │ tokens/s  │ 75.1 (70.1 to 80.0) │ 130 (120 to 140) │ 1.75 (1.50 to 2.00) │
      │ start, warm          │ s         │                1.23 │             2.47 │                2.00 │
      │ expert calls, remote │ per token │                   0 │             8.00 │                     │
      └──────────────────────┴───────────┴─────────────────────┴──────────────────┴─────────────────────┘"
    `);
  });

  it('says on what was measured, and who had how many threads', () => {
    expect(machineLine(MACHINE, 'abc')).toBe('A processor, 2 cores, 25 GB memory, linux x64, Node 24.0.0, commit abc');
    expect(threadsLine({ one: 2, three: 1 }, 2)).toBe('1 worker of 2 threads, 3 workers of 1 thread each: 2 against 3 in all, since the machine has 2 cores');
    expect(threadsLine({ one: 15, three: 5 }, 16)).toBe('1 worker of 15 threads, 3 workers of 5 threads each: 15 threads on both sides');
    const ref = { id: 'synthetic', directory: '/x', dtype: 'int4', deterministic: false } as const;
    expect(stripVTControlCharacters(modelLine({ name: 'synthetic', ref, spec: SYNTHETIC_MIXTRAL }))).toBe('synthetic  synthetic, int4, 16 layers, hidden 1024, 8 experts of 3584, 2 per token, vocabulary 32000');
  });
});

describe('for programs', () => {
  const result: BenchResult = {
    benchmark: 'engine', commit: 'abc', machine: MACHINE, rounds: 2, threadsPerWorker: { one: 2, three: 1 }, workload: WORKLOAD,
    rows: rowsOf(ROUNDS).map((row) => ({ model: 'synthetic', ...row })),
  };

  it('every row is in the file, with its model, unrounded', () => {
    const folder = mkdtempSync(join(tmpdir(), 'essaim-report-'));
    writeJson(join(folder, 'figures.json'), result);
    expect(JSON.parse(readFileSync(join(folder, 'figures.json'), 'utf8'))).toEqual(result);
    expect(result.rows[0]).toMatchObject({ model: 'synthetic', name: 'decode, 1 stream', unit: 'tokens/s', one: { min: 70.123 } });
    rmSync(folder, { recursive: true });
  });

  it('a file that can\'t be written is refused in a sentence', () => {
    expect(() => writeJson('/proc/figures.json', result)).toThrow(/\/proc\/figures\.json can't be written \(\w+\): give --json a file of yours/);
  });
});
