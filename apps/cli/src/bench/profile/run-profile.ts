import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AppError } from '@essaim/core';
import { connectInference } from '@essaim/rpc';
import { listenForInterruption } from '../../up/interruption.ts';
import { type Cluster } from '../../up/cluster.ts';
import { prepareModel } from '../models.ts';
import { type BenchModelName, type BenchOptions, upOptions } from '../options.ts';
import { progressOn } from '../progress.ts';
import { withCluster } from '../with-cluster.ts';
import { Workload } from '../workload.ts';
import { profileTable } from './report.ts';

const LOAD_MS = 15_000;
const WORKERS = 3;

/** `essaim bench profile`: where one of three workers spends its time while 16 streams run. Keeps the profile; nothing is left running however it ends. */
export async function runProfile(options: BenchOptions): Promise<void> {
  using interruption = listenForInterruption();
  const stop = interruption.stop;
  try {
    for (const model of options.models) process.stdout.write(`${await profile(model, options, stop)}\n`);
  } catch (thrown) {
    if (stop.aborted) throw new AppError('cancelled', 'interrupted before there was a profile', { cause: thrown });
    throw thrown;
  }
}

async function profile(name: BenchModelName, { folder, threads }: BenchOptions, stop: AbortSignal): Promise<string> {
  const progress = progressOn(process.stderr);
  const { ref, spec } = await prepareModel(name, { cacheFolder: join(folder, 'cache'), progress, signal: stop });
  const cluster = upOptions({ model: ref.directory, modelId: ref.id, dtype: ref.dtype, workers: WORKERS, threadsPerWorker: threads.three, stateDir: folder });
  progress.note(`${name}: starting once, so that compiling is no part of the profile`);
  await withCluster(cluster, async () => undefined, stop);
  const profileFolder = emptyFolder(join(folder, 'profile', name));
  await withCluster({ ...cluster, profileFolder }, async (running, signal) => {
    progress.note(`${name}: 16 streams for ${LOAD_MS / 1_000} s`);
    await load(running.cluster, { id: ref.id, vocabSize: spec.vocabSize }, signal);
  }, stop);
  const file = join(profileFolder, 'worker.cpuprofile');
  renameSync(join(profileFolder, mainThreadOf(profileFolder)), file);
  return `${profileTable(JSON.parse(readFileSync(file, 'utf8')))}\n${howToOpen(file)}`;
}

async function load(cluster: Cluster, model: { readonly id: string; readonly vocabSize: number }, signal: AbortSignal): Promise<void> {
  const gateway = connectInference(cluster.addresses.grpc);
  try {
    const workload = new Workload(gateway, model, 1);
    for (const endMs = performance.now() + LOAD_MS; performance.now() < endMs; ) await workload.together(signal);
  } finally {
    gateway.close();
  }
}

function emptyFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** Node names each thread's file CPU.date.time.process.thread.number.cpuprofile; the main thread, which serves, is 0. */
function mainThreadOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\.\d+\.cpuprofile$/.test(name));
  if (file === undefined) throw new AppError('unavailable', `the worker wrote no profile into ${folder}: it was killed before it could end`);
  return file;
}

const howToOpen = (file: string): string => `
${file}
Open it as a flame graph: in Chrome or Edge, DevTools (F12), Performance, "Load profile"; or as a file in VS Code; or at speedscope.app, which keeps it in the browser.
Files beside it are of the worker's other threads. CONTRIBUTING.md says how to read it.`;
