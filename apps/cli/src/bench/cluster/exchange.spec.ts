import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { batchOf, type ExchangeSample, exchangeRows } from './exchange.ts';
import { exchangeTable } from './report.ts';
import { withLines } from './run-cluster.ts';
import { EXCHANGE_BYTES, LINES } from './workload.ts';

describe('an exchange', () => {
  it('has the bytes that it is named after, in rows of one expert', () => {
    for (const bytes of EXCHANGE_BYTES) {
      const { activations, hiddenSize, rowOffsets, experts, gates } = batchOf(bytes);
      expect(activations.byteLength).toBe(bytes);
      expect(activations.length / hiddenSize).toBe(experts.length);
      expect([gates.length, rowOffsets.at(-1), rowOffsets.length - 1]).toEqual([experts.length, experts.length, experts.length]);
    }
  });

  it('comes back over every line, of every size', async () => {
    await withLines(async (lines) => {
      expect(lines.map(({ name }) => name)).toEqual(LINES);
      for (const bytes of EXCHANGE_BYTES) {
        for (const line of lines) await line.exchange(batchOf(bytes), AbortSignal.timeout(30_000));
      }
    });
  });
});

it('each line is held against the raw echo of its own round', () => {
  const sample = (tcp: number, others: number): ExchangeSample => ({ ...Object.fromEntries(LINES.map((line) => [line, others])), tcp }) as ExchangeSample;
  const rows = exchangeRows(1024, [sample(10, 20), sample(40, 60), sample(10, 40)]);
  expect(rows.map(({ line }) => line).toSorted()).toEqual(LINES.toSorted());
  expect(rows.find(({ line }) => line === 'tls')).toEqual({ bytes: 1024, line: 'tls', microseconds: { median: 40, min: 20, max: 60 }, ratio: { median: 2, min: 1.5, max: 4 } });
  expect(stripVTControlCharacters(exchangeTable(rows))).toMatch(/1 KiB │\s+10 us │ 40 us, 2\.00x/);
});
