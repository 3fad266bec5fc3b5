import { randomPrompt } from '../prompts.ts';
import { seededRandom } from '../random.ts';
import { type Contender } from './contender.ts';
import { type Duel, type Side, SIDE_NAMES, withSides } from './duel.ts';
import { essaimFirstTokenMs, type Files, llamaFirstTokenMs } from './first-token.ts';
import { LOAD_METRICS, type LoadMetric, type PeerSample } from './metrics.ts';
import { type PeerRound } from './rows.ts';

/** What a load is begun with, for each of its streams. */
export const WARM_UP = { promptTokens: 16, newTokens: 4 };
const SEEDS_PER_ROUND = 1000;

/**
 * Measures both sides once. First each is started by itself; then both are up, and one rests while the other is asked. Who begins changes
 * with each round.
 */
export async function measureRound(round: number, duel: Duel): Promise<PeerRound> {
  const order: readonly Side[] = round % 2 === 1 ? ['ours', 'peer'] : ['peer', 'ours'];
  const samples: Record<Side, PeerSample> = { ours: {}, peer: {} };
  const add = async (side: Side, what: string, sample: () => Promise<PeerSample>): Promise<void> => {
    duel.note(`round ${round}, ${what}, ${SIDE_NAMES[side]}`);
    samples[side] = { ...samples[side], ...(await sample()) };
  };
  for (const files of (['cold', 'warm'] as const).filter((each) => duel.metrics.includes(`first-token-${each}`))) {
    for (const side of order) await add(side, `first token, ${files}`, () => firstToken(side, files, duel));
  }
  if (duel.metrics.every((name) => name.startsWith('first-token'))) return samples;
  await withSides(duel, async (sides, signal) => {
    for (const [index, metric] of LOAD_METRICS.entries()) {
      if (!duel.metrics.includes(metric.name)) continue;
      const seed = SEEDS_PER_ROUND * round + index;
      for (const side of order) await add(side, metric.name, async () => ({ [metric.name]: await measureLoad(sides[side], metric, { seed, vocabSize: duel.vocabSize, signal }) }));
    }
    if (duel.metrics.some((name) => name.startsWith('memory'))) for (const side of order) await add(side, 'memory', () => peakMemory(sides[side]));
  });
  return samples;
}

async function firstToken(side: Side, files: Files, { cluster, loading, settings, ...duel }: Duel): Promise<PeerSample> {
  const ms = side === 'ours' ? await essaimFirstTokenMs(files, cluster, duel) : await llamaFirstTokenMs(files, { ...loading, mapped: settings.startsMapped }, duel);
  return ms === null ? {} : { [`first-token-${files}`]: ms };
}

interface Asking {
  readonly seed: number;
  readonly vocabSize: number;
  readonly signal: AbortSignal;
}

/** Once briefly, so that nothing runs for the first time when it is measured, then in full. The same seed asks the same prompts. */
export async function measureLoad(side: Contender, { load, work, measure }: LoadMetric, { seed, vocabSize, signal }: Asking): Promise<number> {
  const random = seededRandom(seed);
  const prompts = (tokens: number): number[][] => Array.from({ length: load.streams }, () => randomPrompt(random, { tokens, vocabSize }));
  // In the context of the full load, so that llama.cpp's is not made anew in between.
  await side.generate(prompts(Math.min(WARM_UP.promptTokens, load.promptTokens)), { ...load, newTokens: Math.min(WARM_UP.newTokens, load.newTokens), work }, signal);
  return measure(await side.generate(prompts(load.promptTokens), { ...load, work }, signal));
}

/** In MB, after everything that the round asked: of all processes of a side, and of the one that computes. */
async function peakMemory(side: Contender): Promise<PeerSample> {
  const peaks = await side.peakBytes();
  if (peaks === null) return {};
  const megabytes = (bytes: readonly number[]): number => bytes.reduce((sum, each) => sum + each, 0) / 1e6;
  const computing = Object.entries(peaks).filter(([name]) => !['control-plane', 'gateway'].includes(name));
  return { memory: megabytes(Object.values(peaks)), 'memory-worker': megabytes(computing.map(([, bytes]) => bytes)) };
}
