import { connectInference } from '@essaim/rpc';
import { type Cluster } from '../up/cluster.ts';
import { memoryOf } from './memory.ts';
import { type Sample } from './metrics.ts';
import { answerRate, decodeRate, expertCallsPerToken, prefillRate, timeToFirstTokenMs } from './rates.ts';
import { median } from './statistics.ts';
import { Workload } from './workload.ts';

export interface MeasuredModel {
  /** As clients name it. */
  readonly id: string;
  readonly vocabSize: number;
}

/** Everything that a running cluster shows its clients and its machine; not how it started. */
export async function measure(cluster: Cluster, { model, seed }: { readonly model: MeasuredModel; readonly seed: number }, signal: AbortSignal): Promise<Sample> {
  const gateway = connectInference(cluster.addresses.grpc);
  try {
    const workload = new Workload(gateway, model, seed);
    await workload.warmUp(signal);
    const alone = await workload.alone(signal);
    const longPrompt = await workload.longPrompt(signal);
    const together = await workload.together(signal);
    const calls = expertCallsPerToken(together);
    return {
      'decode, 1 stream': decodeRate([alone]),
      'decode, 16 streams': decodeRate(together),
      'answers, 16 streams': answerRate(together),
      'prefill': prefillRate(longPrompt),
      'first token, 1 stream': timeToFirstTokenMs(alone),
      'first token, median of 16 streams': median(together.map(timeToFirstTokenMs)),
      'expert calls, local': calls.local,
      'expert calls, remote': calls.remote,
      ...(await measureMemory(cluster.processes)),
    };
  } finally {
    gateway.close();
  }
}

/** Sums over processes, in MB. Nothing at all where the system tells of no process, no sum of shares where it doesn't tell of one. */
async function measureMemory(processes: Cluster['processes']): Promise<Sample> {
  const all = await Promise.all(processes.map(async ({ name, pid }) => ({ name, memory: await memoryOf(pid) })));
  const told = all.flatMap(({ name, memory }) => (memory === null ? [] : [{ name, ...memory }]));
  if (told.length < all.length) return {};
  const resident = (isCounted: (name: string) => boolean): number => megabytes(told.filter(({ name }) => isCounted(name)).map(({ residentBytes }) => residentBytes));
  const shares = told.flatMap(({ proportionalBytes }) => proportionalBytes ?? []);
  return {
    'memory, resident': resident(() => true),
    'memory, resident, control plane': resident((name) => name === 'control-plane'),
    'memory, resident, gateway': resident((name) => name === 'gateway'),
    'memory, resident, workers': resident((name) => !['control-plane', 'gateway'].includes(name)),
    ...(shares.length === told.length ? { 'memory, proportional': megabytes(shares) } : {}),
  };
}

const megabytes = (bytes: readonly number[]): number => bytes.reduce((sum, each) => sum + each, 0) / 1e6;
