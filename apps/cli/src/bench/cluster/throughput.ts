import { connectInference } from '@essaim/rpc';
import { type BenchModel } from '../models.ts';
import { upOptions } from '../options.ts';
import { answerRate, decodeRate, type TimedAnswer } from '../rates.ts';
import { summarise, type Summary } from '../statistics.ts';
import { withCluster } from '../with-cluster.ts';
import { Workload } from '../workload.ts';
import { type Breakdown, breakdownOf, type Load, meanBreakdown } from './breakdown.ts';
import { type Side, type SideName, SIDES, threadsEach } from './sides.ts';
import { freshTimes } from './worker-times.ts';

/** One cluster in one round. */
export interface SideSample {
  /** Tokens per second from asking to the last token. */
  readonly answers: number;
  /** Tokens per second once all prompts are read. */
  readonly decode: number;
  readonly breakdown: Breakdown;
}

export type ThroughputRound = Readonly<Record<SideName, SideSample>>;

/** As the JSON file holds it. */
export interface ThroughputRow {
  readonly side: SideName;
  readonly workers: number;
  readonly threadsPerWorker: number;
  readonly answers: Summary;
  readonly decode: Summary;
  /** To the one process within each round. */
  readonly answersRatio: Summary;
  readonly decodeRatio: Summary;
  readonly breakdown: Breakdown;
}

export interface ThroughputTrial {
  readonly model: BenchModel;
  readonly threadsPerWorker: number;
  /** Clusters keep everything below it. */
  readonly stateDirectory: string;
  /** From 1. */
  readonly round: number;
  readonly note: (what: string) => void;
  readonly stop: AbortSignal;
}

/** Each cluster once, by itself. Who begins changes with each round; the same round asks all of them the same. */
export async function measureThroughput(trial: ThroughputTrial): Promise<ThroughputRound> {
  const samples: Partial<Record<SideName, SideSample>> = {};
  for (const side of trial.round % 2 === 1 ? SIDES : SIDES.toReversed()) samples[side.name] = await measureSide(side, trial);
  return samples as ThroughputRound;
}

function measureSide(side: Side, { model: { ref, spec }, threadsPerWorker, stateDirectory, round, note, stop }: ThroughputTrial): Promise<SideSample> {
  const { workers } = side;
  const cluster = upOptions({ model: ref.directory, modelId: ref.id, dtype: ref.dtype, workers, threadsPerWorker: threadsEach(side, threadsPerWorker), stateDir: stateDirectory });
  note(`round ${round}, ${workers} worker${workers === 1 ? '' : 's'}`);
  return withCluster(cluster, async ({ cluster: { addresses } }, signal) => {
    const gateway = connectInference(addresses.grpc);
    try {
      const workload = new Workload(gateway, { id: ref.id, vocabSize: spec.vocabSize }, round);
      await workload.warmUp(signal);
      const before = await freshTimes(addresses.admin, signal);
      const answers = await workload.together(signal);
      const after = await freshTimes(addresses.admin, signal);
      return { answers: answerRate(answers), decode: decodeRate(answers), breakdown: breakdownOf(before, after, loadOf(answers)) };
    } finally {
      gateway.close();
    }
  }, stop);
}

const loadOf = (answers: readonly TimedAnswer[]): Load => ({
  durationMs: Math.max(...answers.map(({ tokenMs }) => tokenMs.at(-1)!)) - Math.min(...answers.map(({ askedMs }) => askedMs)),
  tokens: answers.reduce((sum, { tokenMs }) => sum + tokenMs.length, 0),
});

/** In the order of SIDES. */
export function throughputRows(rounds: readonly ThroughputRound[], threadsPerWorker: number): ThroughputRow[] {
  return SIDES.map((side) => {
    const rates = (rate: 'answers' | 'decode'): Summary => summarise(rounds.map((round) => round[side.name][rate]));
    const ratios = (rate: 'answers' | 'decode'): Summary => summarise(rounds.map((round) => round[side.name][rate] / round.one[rate]));
    return {
      side: side.name, workers: side.workers, threadsPerWorker: threadsEach(side, threadsPerWorker),
      answers: rates('answers'), decode: rates('decode'), answersRatio: ratios('answers'), decodeRatio: ratios('decode'),
      breakdown: meanBreakdown(rounds.map((round) => round[side.name].breakdown)),
    };
  });
}
