import { connectInference } from '@essaim/rpc';
import { type UpOptions } from '../../up/options.ts';
import { withCluster } from '../with-cluster.ts';
import { type Contender } from './contender.ts';
import { essaimContender } from './essaim.ts';
import { llamaContender } from './llama/contender.ts';
import { LlamaProcess } from './llama/llama-process.ts';
import { type LlamaLoading } from './llama/protocol.ts';
import { type BestSettings } from './llama/settings.ts';
import { type PeerMetricName } from './metrics.ts';
import { type PeerRound } from './rows.ts';

/** Everything that the rounds share. */
export interface Duel {
  /** Of one worker. */
  readonly cluster: UpOptions;
  readonly loading: Omit<LlamaLoading, 'mapped'>;
  readonly settings: BestSettings;
  readonly logFile: string;
  readonly vocabSize: number;
  readonly metrics: readonly PeerMetricName[];
  readonly note: (line: string) => void;
  readonly stop: AbortSignal;
}

export type Side = keyof PeerRound;
export const SIDE_NAMES: Readonly<Record<Side, string>> = { ours: 'Essaim', peer: 'llama.cpp' };

/** Short enough not to matter. */
const FIRST_PROMPT = [3, 4, 5];

/** Brings both sides up, hands them to `use` when both have answered, so that neither still loads while the other is measured, and ends them whatever happens. */
export async function withSides<T>(duel: Duel, use: (sides: Readonly<Record<Side, Contender>>, signal: AbortSignal) => Promise<T>): Promise<T> {
  return withCluster(duel.cluster, async ({ cluster }, signal) => {
    const gateway = connectInference(cluster.addresses.grpc);
    try {
      await using llama = new LlamaProcess({ ...duel.loading, mapped: false }, duel.logFile);
      const sides = { ours: essaimContender(cluster, gateway, duel.cluster.model.id), peer: llamaContender(llama, duel.settings) };
      for (const side of Object.values(sides)) await side.predict(FIRST_PROMPT, signal);
      return await use(sides, signal);
    } finally {
      gateway.close();
    }
  }, duel.stop);
}
