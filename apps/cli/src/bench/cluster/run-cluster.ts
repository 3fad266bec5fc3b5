import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '@essaim/core';
import { type TlsMaterial } from '@essaim/rpc';
import { listenForInterruption } from '../../up/interruption.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type BenchOptions } from '../options.ts';
import { type Progress, progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { WORKLOAD } from '../workload.ts';
import { type EchoAddresses } from './echo.ts';
import { type ExchangeRow, exchangeRows, measureExchanges } from './exchange.ts';
import { type Line, openLines } from './lines.ts';
import { type ClusterResult, exchangeTable } from './report.ts';
import { benchThroughput } from './run-throughput.ts';
import { EXCHANGE, EXCHANGE_BYTES } from './workload.ts';

/** Beside this file, from source as well as bundled. */
const ECHO = join(import.meta.dirname, `echo.thread${extname(import.meta.filename)}`);

/** `essaim bench cluster`: what an exchange of activations between two workers costs, beside raw sockets, and what is left of one process's throughput when workers share its work. */
export async function runClusterBench(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  const { stop } = interruption;
  try {
    await benchCluster(options, stop);
  } catch (thrown) {
    if (stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  }
}

async function benchCluster(options: BenchOptions, stop: AbortSignal): Promise<void> {
  const { rounds, parts, jsonFile } = options;
  const [machine, commit] = [describeMachine(), describeCommit()];
  print(machineLine(machine, commit));
  const progress = progressOn(process.stderr);
  const exchange = parts.includes('exchange') ? await benchExchange(rounds, progress, stop) : [];
  const throughput = parts.includes('throughput') ? await benchThroughput({ options, cores: machine.cores, progress, print, stop }) : [];
  const result: ClusterResult = { benchmark: 'cluster', commit, machine, rounds, workload: { ...EXCHANGE, ...WORKLOAD }, exchange, throughput };
  if (jsonFile !== null) writeJson(jsonFile, result);
}

async function benchExchange(rounds: number, progress: Progress, stop: AbortSignal): Promise<ExchangeRow[]> {
  const rows: ExchangeRow[] = [];
  await withLines(async (lines) => {
    for (const bytes of EXCHANGE_BYTES) {
      progress.note(`exchanges of ${bytes / 1024} KiB, ${rounds} rounds`);
      rows.push(...exchangeRows(bytes, await measureExchanges(lines, { bytes, rounds }, stop)));
    }
  });
  print('', exchangeTable(rows));
  return rows;
}

/** The other side has a thread of its own, as another worker has a process. */
export async function withLines(use: (lines: readonly Line[]) => Promise<void>): Promise<void> {
  const tls = await testCertificate();
  const echo = new Worker(ECHO, { workerData: tls });
  const lines: Line[] = [];
  try {
    const [addresses] = (await once(echo, 'message')) as [EchoAddresses];
    lines.push(...(await openLines(addresses, tls)));
    await use(lines);
  } finally {
    for (const line of lines) line.close();
    await echo.terminate();
  }
}

/** One for both sides: a worker's certificate serves and calls. */
async function testCertificate(): Promise<TlsMaterial> {
  const { createClusterAuthority, issueCertificate } = await import('@essaim/auth');
  const now = new Date();
  return issueCertificate(await createClusterAuthority({ now }), { role: 'worker', name: 'bench', now, hosts: ['localhost'] });
}

const print = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
