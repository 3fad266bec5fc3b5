import { loadavg } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { listenForInterruption } from '../../up/interruption.ts';
import { openStateFolder } from '../../up/state-folder.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { prepareModel } from '../models.ts';
import { type BenchOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { machineLine, writeJson } from '../report.ts';
import { assertSameModel } from './agreement.ts';
import { compareSides } from './compare.ts';
import { withSides } from './duel.ts';
import { LLAMA_PACKAGE } from './llama/package.ts';
import { type Preparing, prepareDuel } from './prepare.ts';
import { measureReadBandwidth } from './read-bandwidth.ts';
import { agreementLine, loadLine, type PeerResult, peerTable, rooflineLines, settingsLines } from './report.ts';
import { rooflineOf } from './roofline.ts';
import { measureRound } from './round.ts';
import { type PeerRound, peerRows } from './rows.ts';

/** `essaim bench peer`: one worker's cluster and llama.cpp, in turns, with the same weights and threads. Nothing is left running however it ends. */
export async function runPeerBench(options: BenchOptions): Promise<void> {
  if (!options.models.includes('synthetic')) throw new AppError('invalid_argument', 'both sides run the synthetic model: leave --model away');
  using interruption = listenForInterruption();
  const folder = openStateFolder(options.folder, 'cluster');
  try {
    const preparing = { options, folder: folder.path, progress: progressOn(process.stderr), stop: interruption.stop };
    const result = await benchPeer(preparing);
    if (options.jsonFile !== null) writeJson(options.jsonFile, result);
  } catch (thrown) {
    if (interruption.stop.aborted) throw new AppError('cancelled', 'interrupted before everything was measured', { cause: thrown });
    throw thrown;
  } finally {
    folder.close();
  }
}

/** Prints each finding as soon as there is one. */
async function benchPeer(preparing: Preparing): Promise<PeerResult> {
  const { options, folder, progress, stop } = preparing;
  const { rounds, threads: { one: threads } } = options;
  const [machine, commit] = [describeMachine(), describeCommit()];
  print(machineLine(machine, commit), `1 worker of ${threads} threads against ${LLAMA_PACKAGE.name} ${LLAMA_PACKAGE.version} with as many`);
  const model = await prepareModel('synthetic', { cacheFolder: join(folder, 'cache'), progress, signal: stop });
  const duel = await prepareDuel(model, preparing);
  const before = loadOfLastMinute();
  const roofline = rooflineOf(model.spec, await measureReadBandwidth(threads));
  const agreement = await withSides(duel, (sides, signal) => compareSides(sides, duel.vocabSize, signal));
  print(...settingsLines(duel.settings), agreementLine(agreement));
  assertSameModel(agreement);
  const measured: PeerRound[] = [];
  while (measured.length < rounds) measured.push(await measureRound(measured.length + 1, duel));
  const rows = peerRows(measured).filter(({ name }) => duel.metrics.includes(name));
  const loadAverage = { before, after: loadOfLastMinute() };
  print('', peerTable(rows), ...rooflineLines(roofline, rows), loadLine(loadAverage, threads));
  const peer = { ...LLAMA_PACKAGE, settings: duel.settings };
  return { benchmark: 'peer', commit, machine, rounds, threads, peer, loadAverage, agreement, roofline, rows };
}

const print = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);

const loadOfLastMinute = (): number => loadavg()[0]!;
