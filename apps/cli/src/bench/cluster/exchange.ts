import { performance } from 'node:perf_hooks';
import { type ExpertBatch } from '@essaim/dispatch';
import { median, summarise, type Summary } from '../statistics.ts';
import { type Line } from './lines.ts';
import { EXCHANGE, type LineName, LINES } from './workload.ts';

/** Microseconds of one exchange, by line. */
export type ExchangeSample = Readonly<Record<LineName, number>>;

export interface ExchangeRow {
  /** Sent as float32, and as many returned. */
  readonly bytes: number;
  readonly line: LineName;
  readonly microseconds: Summary;
  /** To a raw TCP echo of the same bytes, within each round. */
  readonly ratio: Summary;
}

/** Rounds of one size. Each line has its turns between those of the others, so that all of them have about the same machine. */
export async function measureExchanges(lines: readonly Line[], { bytes, rounds }: { readonly bytes: number; readonly rounds: number }, signal: AbortSignal): Promise<ExchangeSample[]> {
  const batch = batchOf(bytes);
  for (const line of lines) await timesOf(line, batch, { exchanges: EXCHANGE.warmUpExchanges, signal });
  const samples: ExchangeSample[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await measureRound(lines, batch, signal));
  return samples;
}

async function measureRound(lines: readonly Line[], batch: ExpertBatch, signal: AbortSignal): Promise<ExchangeSample> {
  const microseconds = new Map(lines.map(({ name }) => [name, [] as number[]]));
  for (let turn = 0; turn < EXCHANGE.turns; turn++) {
    for (const line of lines) microseconds.get(line.name)!.push(...(await timesOf(line, batch, { exchanges: EXCHANGE.exchangesPerTurn, signal })));
  }
  return Object.fromEntries([...microseconds].map(([name, values]) => [name, median(values)])) as ExchangeSample;
}

/** Microseconds of each of so many exchanges, one after the other. */
async function timesOf(line: Line, batch: ExpertBatch, { exchanges, signal }: { readonly exchanges: number; readonly signal: AbortSignal }): Promise<number[]> {
  const times: number[] = [];
  for (let exchange = 0; exchange < exchanges; exchange++) {
    signal.throwIfAborted();
    const sentMs = performance.now();
    await line.exchange(batch, signal);
    times.push(1000 * (performance.now() - sentMs));
  }
  return times;
}

export function exchangeRows(bytes: number, samples: readonly ExchangeSample[]): ExchangeRow[] {
  return LINES.map((line) => ({
    bytes, line,
    microseconds: summarise(samples.map((sample) => sample[line])),
    ratio: summarise(samples.map((sample) => sample[line] / sample.tcp)),
  }));
}

/** Rows of a layer's step, one expert each. */
export function batchOf(bytes: number): ExpertBatch {
  const values = bytes / 4;
  const hiddenSize = Math.min(values, EXCHANGE.rowValues);
  const rows = values / hiddenSize;
  return {
    step: 1, layer: 0, attempt: 0, epoch: 1, hiddenSize, reduce: true,
    activations: Float32Array.from({ length: values }, (_, index) => Math.sin(index)),
    rowOffsets: Uint32Array.from({ length: rows + 1 }, (_, row) => row),
    experts: new Uint32Array(rows),
    gates: new Float32Array(rows).fill(0.5),
  };
}
