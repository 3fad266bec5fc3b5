import { randomPrompt } from '../../prompts.ts';
import { seededRandom } from '../../random.ts';
import { type Contender } from '../contender.ts';
import { llamaFirstTokenMs } from '../first-token.ts';
import { type Load, LOAD_METRICS, type PeerMetricName, RATES, type Work } from '../metrics.ts';
import { llamaContender } from './contender.ts';
import { LlamaProcess } from './llama-process.ts';
import { type LlamaLoading } from './protocol.ts';
import { type BestSettings, type LlamaSettings, type Trial, TRIALS } from './settings.ts';

/** Everything is judged by the better of so many runs: what disturbs one of them should not decide. */
const RUNS = 2;

export interface Trying {
  readonly vocabSize: number;
  readonly note: (line: string) => void;
  readonly stop: AbortSignal;
}

export interface TryingOut extends Trying {
  readonly loading: Omit<LlamaLoading, 'mapped'>;
  readonly logFile: string;
  readonly metrics: readonly PeerMetricName[];
}

/** Tries everything that llama.cpp's user may choose and that makes a difference to the metrics asked for, and keeps the fastest of each. */
export async function tryLlamaSettings(trying: TryingOut): Promise<BestSettings> {
  const isStarted = trying.metrics.some((name) => name.startsWith('first-token'));
  const startsMapped = isStarted && (await isFasterMapped(trying));
  await using llama = new LlamaProcess({ ...trying.loading, mapped: false }, trying.logFile);
  const best = async (work: Work): Promise<LlamaSettings> => {
    const isAsked = LOAD_METRICS.some((metric) => metric.work === work && trying.metrics.includes(metric.name));
    return isAsked ? fastestSettings(llama, { work, trial: TRIALS[work] }, trying) : TRIALS[work].settings[0]!;
  };
  const [decode, prefill, arrival] = [await best('decode'), await best('prefill'), await best('arrival')];
  return { startsMapped, decode, prefill, arrival };
}

async function isFasterMapped(trying: TryingOut): Promise<boolean> {
  const leastMs = { mapped: Infinity, read: Infinity };
  for (let run = 0; run < RUNS; run++) {
    for (const how of ['mapped', 'read'] as const) {
      const ms = await llamaFirstTokenMs('warm', { ...trying.loading, mapped: how === 'mapped' }, trying);
      leastMs[how] = Math.min(leastMs[how], ms ?? Infinity);
    }
  }
  trying.note(`llama.cpp tried: first token from start, file mapped ${leastMs.mapped.toFixed(0)} ms, read ${leastMs.read.toFixed(0)} ms`);
  return leastMs.mapped < leastMs.read;
}

interface Tried {
  readonly work: Work;
  readonly trial: Trial;
}

/** Of a trial's settings those under which the running llama.cpp did most. */
export async function fastestSettings(llama: LlamaProcess, { work, trial }: Tried, trying: Trying): Promise<LlamaSettings> {
  const { settings, load } = trial;
  const rates: number[] = [];
  for (const each of settings) {
    rates.push(await rateWith(llamaContender(llama, { decode: each, prefill: each, arrival: each, startsMapped: false }), { ...load, work }, trying));
    trying.note(`llama.cpp tried: ${work}, ${settingsLine(each)}, ${rates.at(-1)!.toFixed(2)} ${work === 'arrival' ? 'first tokens/s' : 'tokens/s'}`);
  }
  return settings[rates.indexOf(Math.max(...rates))]!;
}

async function rateWith(contender: Contender, load: Load & { readonly work: Work }, { vocabSize, stop }: Trying): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const random = seededRandom(run);
    const prompts = Array.from({ length: load.streams }, () => randomPrompt(random, { tokens: load.promptTokens, vocabSize }));
    rates.push(RATES[load.work](await contender.generate(prompts, load, stop)));
  }
  return Math.max(...rates);
}

export const settingsLine = ({ batchTokens, flashAttention, order }: LlamaSettings): string =>
  `flash attention ${flashAttention ? 'on' : 'off'}, batch and micro-batch of ${batchTokens}${order === 'firstInFirstOut' ? ', first in first out' : ''}`;
