import { setTimeout as sleep } from 'node:timers/promises';
import { openCheckpoint } from '@essaim/checkpoint';
import { assert, expertCount, type MemoryNeeds, spareBytes } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { kernelNeeds } from '@essaim/kernels';
import { connectInference, type InferenceApi } from '@essaim/rpc';
import { type Cluster } from '../../up/cluster.ts';
import { type UpOptions } from '../../up/options.ts';
import { ask, type Question } from '../ask.ts';
import { type BenchModel } from '../models.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { randomPrompt } from '../prompts.ts';
import { type Random, seededRandom } from '../random.ts';
import { withCluster, withLeavingWorker } from '../with-cluster.ts';
import { type Sample } from './metrics.ts';
import { readyExperts } from './ready-experts.ts';
import { watch, type Watched } from './watch.ts';
import { STREAMS, WORKLOAD } from './workload.ts';

/** Not so often that asking is what streams wait for. */
const POLL_MS = 200;
/** From the signal until the other worker has everything; its pieces are compiled already. */
const MOVE_MS = 120_000;

/** One model, asked over one gateway in one round. */
interface Asking {
  readonly cluster: Cluster;
  readonly gateway: InferenceApi;
  readonly model: BenchModel;
  readonly random: Random;
  readonly signal: AbortSignal;
}

export interface Round {
  readonly nth: number;
  readonly model: BenchModel;
  readonly options: Pick<BenchOptions, 'folder' | 'threads'>;
  readonly note: (what: string) => void;
  readonly stop: AbortSignal;
}

/** Streams of one worker alone, then beside a prompt; after that those of two workers, of which one leaves and hands its few experts to the other. */
export async function measureRound(round: Round): Promise<Sample> {
  const quiet = await onOneWorker(round);
  const [one, many] = [await onTwoWorkers(STREAMS[0], round), await onTwoWorkers(STREAMS[1], round)];
  return { ...quiet, 'loading-1': one, 'loading-16': many };
}

function onOneWorker(round: Round): Promise<Omit<Sample, `loading-${number}`>> {
  round.note('starting 1 worker');
  return withCluster(clusterOf(1, round), ({ cluster }, signal) => asking({ cluster, signal }, round, async (asked) => {
    round.note('a prompt beside 1 stream');
    const one = await beside(asked, STREAMS[0], () => readPrompt(asked));
    round.note('a prompt beside 16 streams');
    const many = await beside(asked, STREAMS[1], () => readPrompt(asked));
    return { 'alone-1': alone(one), 'alone-16': alone(many), 'prompt-1': one, 'prompt-16': many };
  }), round.stop);
}

async function onTwoWorkers(streams: number, round: Round): Promise<Watched> {
  round.note('starting 2 workers');
  return withLeavingWorker(await unevenCluster(round), ({ cluster }, signal) => asking({ cluster, signal }, round, (asked) => {
    round.note(`experts load beside ${streams} stream${streams === 1 ? '' : 's'}`);
    return beside(asked, streams, () => moveExperts(asked));
  }), round.stop);
}

/** All threads that the machine has for computing, shared out. */
function clusterOf(workers: number, { model: { ref }, options: { folder, threads } }: Round): UpOptions {
  return upOptions({ model: ref.directory, modelId: ref.id, dtype: ref.dtype, workers, threadsPerWorker: Math.max(1, Math.floor(threads.one / workers)), stateDir: folder });
}

/** Two workers, of which the second has memory for next to no experts: as many lie there as are to load beside streams. */
async function unevenCluster(round: Round): Promise<UpOptions> {
  const { spec, ref } = round.model;
  const all = spec.layerCount * expertCount(spec);
  // Experts lie where memory is, in proportion to it: a of all, where there is room for r beside all, with a = all r / (all + r).
  const room = Math.floor((WORKLOAD.loadedExperts * all) / (all - WORKLOAD.loadedExperts));
  const options = clusterOf(2, round);
  const [first] = options.devices;
  const needs = await needsOf(ref, options);
  return { ...options, kvMemoryShrinks: false, devices: [first!, { ...first!, memoryBytes: -spareBytes(0, needs, room) }] };
}

/** Of each worker. */
async function needsOf({ directory, dtype }: BenchModel['ref'], { threadsPerWorker, kvMemoryMib, runningSequences }: UpOptions): Promise<MemoryNeeds> {
  const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(directory));
  const needs = await kernelNeeds({ model: { spec, weights, dtype }, threads: threadsPerWorker, kvBytes: kvMemoryMib * 2 ** 20, sequences: runningSequences });
  await close();
  return needs;
}

/** Once everything has run for the first time. */
async function asking<T>({ cluster, signal }: Pick<Asking, 'cluster' | 'signal'>, { model, nth }: Round, measure: (asked: Asking) => Promise<T>): Promise<T> {
  const gateway = connectInference(cluster.addresses.grpc);
  const asked = { cluster, gateway, model, random: seededRandom(nth), signal };
  try {
    await Promise.all(questions(asked, STREAMS[1], WORKLOAD.warmUpTokens).map((question) => ask(gateway, question, signal)));
    return await measure(asked);
  } finally {
    gateway.close();
  }
}

const beside = (asked: Asking, streams: number, happen: () => Promise<void>): Promise<Watched> =>
  watch({ ...asked, questions: questions(asked, streams, WORKLOAD.newTokens) }, happen);

/** What nothing happened beside is what was before. */
const alone = ({ before }: Watched): Watched => ({ before, during: before });

const questions = (asked: Asking, streams: number, newTokens: number): Question[] => Array.from({ length: streams }, () => question(asked, WORKLOAD.promptTokens, newTokens));

function question({ model: { ref, spec }, random }: Asking, promptTokens: number, newTokens: number): Question {
  return { model: ref.id, promptIds: randomPrompt(random, { tokens: promptTokens, vocabSize: spec.vocabSize }), newTokens };
}

/** Until its first token. */
async function readPrompt(asked: Asking): Promise<void> {
  const { gateway, model, signal } = asked;
  await ask(gateway, question(asked, Math.min(WORKLOAD.longPromptTokens, model.spec.contextLength - 1), 1), signal);
}

/** The last worker is told to leave; resolves when the first one holds every expert. */
async function moveExperts({ cluster, model: { spec }, signal }: Asking): Promise<void> {
  const leaving = cluster.processes.find(({ name }) => name === 'w2');
  assert(leaving, 'there are two workers');
  const experts = spec.layerCount * expertCount(spec);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(MOVE_MS)]);
  assert(await readyExperts('w1', cluster.addresses.admin, deadline) === experts - WORKLOAD.loadedExperts, 'the placement goes by memory');
  process.kill(leaving.pid, 'SIGTERM');
  while (await readyExperts('w1', cluster.addresses.admin, deadline) < experts) await sleep(POLL_MS, undefined, { signal: deadline });
}
