import { join } from 'node:path';
import { type TestedDevice } from '@essaim/devices';
import { type BenchOptions } from '../../options.ts';
import { type Progress } from '../../progress.ts';
import { LlamaRival } from './llama/rival.ts';
import { type RivalName } from './rival-names.ts';
import { type Rival } from './rival.ts';
import { transformersRival } from './transformers/rival.ts';

interface Place {
  readonly device: TestedDevice;
  /** Absolute; everything that is written lies below it. */
  readonly folder: string;
  readonly progress: Progress;
}

/** Those that are asked for; whether they can be had shows when they are started. */
export function findRivals({ rivals, python, threads }: Pick<BenchOptions, 'rivals' | 'python' | 'threads'>, { device, folder, progress }: Place): Rival[] {
  const make: Readonly<Record<RivalName, () => Rival>> = {
    'transformers': () => transformersRival({ device, python, logFile: join(folder, 'logs', 'transformers.log') }),
    'llama.cpp': () => new LlamaRival({ device, folder, threads: threads.one, python, progress }),
  };
  return rivals.map((name) => make[name]());
}
