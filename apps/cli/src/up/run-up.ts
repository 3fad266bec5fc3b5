import { AppError, type WeightDtype, type WeightPrecision } from '@essaim/core';
import { listWorkers } from './admin.ts';
import { provideCertificates } from './certificates.ts';
import { checkPorts } from './check-ports.ts';
import { Cluster } from './cluster.ts';
import { listenForInterruption, type Interruption } from './interruption.ts';
import { jsonReport } from './json-report.ts';
import { showLoading } from './loading.ts';
import { givenModel, type OneShot, resolveOptions, type UpFlags, type UpOptions } from './options.ts';
import { type Report } from './report.ts';
import { openStateFolder } from './state-folder.ts';
import { textReport } from './text-report.ts';
import { findWorkerDevices } from './worker-devices.ts';

interface Run {
  readonly options: UpOptions;
  readonly cluster: Cluster;
  readonly report: Report;
  readonly interruption: Interruption;
}

/** `essaim up`: check, start, serve until interrupted (or answer once), stop. Nothing is left running however it ends. */
export async function runUp(flags: UpFlags): Promise<void> {
  const { options, notes } = await prepare(flags);
  await checkPorts(options.host, options.ports);
  using interruption = listenForInterruption();
  const report = options.output === 'json' ? jsonReport() : textReport(options);
  for (const note of notes) report.notice(note);
  const folder = openStateFolder(options.stateDirectory, options.oneShot ? 'run' : 'cluster');
  const cluster = new Cluster(options, folder);
  try {
    await provideCertificates(folder.tls, { workerIds: cluster.workerIds, host: options.host });
    await cluster.start(interruption.stop);
    const epoch = await showLoading(cluster, report, interruption.stop);
    const run: Run = { options, cluster, report, interruption };
    await (options.oneShot ? answerAndEnd(run, options.oneShot) : serve(run, epoch));
  } catch (thrown) {
    if (!interruption.stop.aborted) throw thrown;
    if (options.oneShot) throw new AppError('cancelled', 'interrupted before the answer was complete', { cause: thrown });
  } finally {
    if (interruption.stop.aborted) report.notice(options.oneShot ? 'stopping' : 'draining: answers under way finish first, a second Ctrl-C does not wait');
    await cluster.stop(interruption.hurry);
    folder.close();
  }
}

const STORED: Readonly<Record<WeightPrecision, string>> = { float: 'floats', fp8: 'FP8', nvfp4: 'NVFP4' };

/** Every default decided, and what is worth knowing of a checkpoint before it starts, one sentence each. */
async function prepare(flags: UpFlags): Promise<{ readonly options: UpOptions; readonly notes: readonly string[] }> {
  const directory = givenModel(flags);
  const { devices, notes: deviceNotes } = await findWorkerDevices(flags);
  if (directory === null) return { options: resolveOptions(flags, { devices }), notes: deviceNotes };
  // With it comes a reader of checkpoints, which the built-in model does without: its workers read it alone.
  const { inspectModel } = await import('./inspect-model.ts');
  const { precision, notes } = await inspectModel(directory);
  const options = resolveOptions(flags, { precision, devices });
  const chosen = (dtype: WeightDtype): string => `weights run as ${dtype}, the form next to the ${STORED[precision]} of the checkpoint: --dtype chooses another`;
  return { options, notes: [...deviceNotes, ...notes, ...(flags.dtype === undefined ? [chosen(options.model.dtype)] : [])] };
}

async function serve({ options, cluster, report, interruption }: Run, epoch: number): Promise<void> {
  const workers = await listWorkers(cluster.addresses.admin, interruption.stop);
  report.ready({ model: options.model, addresses: cluster.addresses, epoch, workers, processes: cluster.processes });
  const broken = await Promise.race([cluster.untilBroken(report.notice), untilAborted(interruption.stop)]);
  if (broken !== null) throw new AppError('unavailable', `${broken}; the cluster is stopped`);
}

async function answerAndEnd({ options, cluster, report, interruption }: Run, { prompt, ...sampling }: OneShot): Promise<void> {
  const broken = cluster.untilBroken(report.notice).then((sentence) => Promise.reject(new AppError('unavailable', sentence)));
  // With it comes a gRPC client, which a cluster that stays up does without.
  const { answerOnce } = await import('./answer-once.ts');
  const question = { ...sampling, prompt, model: options.model.id };
  const answer = answerOnce(cluster.addresses.grpc, question, { onPiece: report.piece, signal: interruption.stop });
  report.answer(await Promise.race([answer, broken]));
}

async function untilAborted(signal: AbortSignal): Promise<null> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  return null;
}
