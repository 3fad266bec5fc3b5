import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type KvDtype } from '@essaim/core';
import { kvLayoutOf } from '@essaim/kv';
import { type BenchModel } from '../models.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { type Progress } from '../progress.ts';
import { withCluster } from '../with-cluster.ts';
import { type Duel } from './duel.ts';
import { exportGguf } from './gguf/export.ts';
import { kvMemoryMib } from './kv-memory.ts';
import { installLlama, LLAMA_PACKAGE } from './llama/package.ts';
import { tryLlamaSettings } from './llama/try-settings.ts';
import { LOAD_METRICS, METRICS } from './metrics.ts';

/** 16 bits, as llama.cpp keeps them. */
const KV_DTYPE: KvDtype = 'bf16';

export interface Preparing {
  readonly options: BenchOptions;
  /** Absolute; everything that is written lies below it. */
  readonly folder: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** Makes what both sides start from, unless it is there: llama.cpp and its file, Essaim's compiled weights. Then finds llama.cpp's best settings. */
export async function prepareDuel({ ref, spec }: BenchModel, { options, folder, progress, stop }: Preparing): Promise<Duel> {
  const note = (line: string): void => progress.note(line);
  const cacheFolder = join(folder, 'cache');
  note(`llama.cpp: ${LLAMA_PACKAGE.name} ${LLAMA_PACKAGE.version}`);
  const library = await installLlama(cacheFolder, 'processor', stop);
  const gguf = await exportGguf({ checkpointFolder: ref.directory, form: 'q4_0', cacheFolder, onProgress: progress.bytes('writing the same weights as GGUF'), signal: stop });
  const threads = options.threads.one;
  const cluster = upOptions({ model: ref.directory, modelId: ref.id, dtype: 'int4', workers: 1, threadsPerWorker: threads, kvMemory: kvMemoryMib(LOAD_METRICS.map(({ load }) => load), kvLayoutOf(spec, KV_DTYPE)), kvDtype: KV_DTYPE, stateDir: join(folder, 'peer') });
  note('Essaim: compiling what is not compiled yet');
  const beganMs = performance.now();
  await withCluster(cluster, () => Promise.resolve(), stop);
  note(`Essaim: ready after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  const metrics = options.metrics ?? METRICS.map(({ name }) => name);
  const shared = { loading: { library, build: 'processor' as const, gguf, threads }, logFile: join(folder, 'logs', 'llama.cpp.log'), vocabSize: spec.vocabSize, metrics, note, stop };
  return { ...shared, cluster, settings: await tryLlamaSettings(shared) };
}
