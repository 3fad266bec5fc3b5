import { defaultKvDtype, type ModelDescription, type ModelRef } from '@essaim/core';
import { type Observation, type PlannedLoad } from '@essaim/planning';
import { connectInference } from '@essaim/rpc';
import { WIRE_BYTES_PER_VALUE } from '../../plan/options.ts';
import { upOptions } from '../options.ts';
import { decodeRate, timeToFirstTokenMs } from '../rates.ts';
import { median } from '../statistics.ts';
import { withCluster } from '../with-cluster.ts';
import { WORKLOAD, Workload } from '../workload.ts';

export interface ObservedModel {
  readonly ref: Pick<ModelRef, 'id' | 'directory' | 'dtype'>;
  readonly description: ModelDescription;
}

export interface ObservedCluster {
  readonly workers: number;
  readonly threadsPerWorker: number;
  /** The cluster keeps everything below it. */
  readonly stateDirectory: string;
}

/** What plans predict, in the order of an observation's seconds: a step of one stream, one of 16, and a prompt's first token. */
export const ASKED = ['1 stream', '16 streams', 'first token'] as const;
export type Asked = (typeof ASKED)[number];

/** Shorter than other benchmarks', since there are ten clusters to ask. */
const LENGTHS = { promptTokens: 128, newTokens: 64 } as const;
const CONTEXT_TOKENS = LENGTHS.promptTokens + LENGTHS.newTokens;

const LOADS: Readonly<Record<Asked, Pick<PlannedLoad, 'streams' | 'contextTokens'>>> = {
  '1 stream': { streams: 1, contextTokens: CONTEXT_TOKENS },
  '16 streams': { streams: WORKLOAD.streams, contextTokens: CONTEXT_TOKENS },
  'first token': { streams: 1, contextTokens: WORKLOAD.longPromptTokens },
};

/** As a plan would be asked for what is measured. */
export const loadOf = (asked: Asked): PlannedLoad => ({ replicas: 1, wireBytesPerValue: WIRE_BYTES_PER_VALUE, ...LOADS[asked] });

/** Starts a real cluster and asks it as its clients do. */
export function observe({ ref, description }: ObservedModel, { workers, threadsPerWorker, stateDirectory }: ObservedCluster, stop: AbortSignal): Promise<Observation[]> {
  const options = upOptions({ model: ref.directory, modelId: ref.id, dtype: ref.dtype, workers, threadsPerWorker, stateDir: stateDirectory });
  return withCluster(options, async ({ cluster }, signal) => {
    const gateway = connectInference(cluster.addresses.grpc);
    try {
      const workload = new Workload(gateway, { id: ref.id, vocabSize: description.vocabSize }, 1);
      await workload.warmUp(signal);
      // Unmeasured: V8 optimises what has run for a while, and small models take up to 1.7 times as long until then.
      await askAll(workload, signal);
      const seconds = await askAll(workload, signal);
      return ASKED.map((asked) => ({
        model: description, dtype: ref.dtype, kvDtype: defaultKvDtype(ref.dtype), workers, load: loadOf(asked),
        of: asked === 'first token' ? 'firstToken' : 'step', seconds: seconds[asked],
      }));
    } finally {
      gateway.close();
    }
  }, stop);
}

/** Seconds of each. */
async function askAll(workload: Workload, signal: AbortSignal): Promise<Record<Asked, number>> {
  const alone = 1 / decodeRate([await workload.alone(signal, LENGTHS)]);
  const firstToken = timeToFirstTokenMs(await workload.longPrompt(signal)) / 1_000;
  const together = WORKLOAD.streams / decodeRate(await workload.together(signal, LENGTHS));
  return { '1 stream': alone, '16 streams': together, 'first token': firstToken };
}

/** Of one model's rounds, each in the order of ASKED. */
export const medianOf = (rounds: readonly (readonly Observation[])[]): Observation[] =>
  rounds[0]!.map((observation, asked) => ({ ...observation, seconds: median(rounds.map((round) => round[asked]!.seconds)) }));
