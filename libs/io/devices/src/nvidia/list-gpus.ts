import { AppError } from '@essaim/core';
import { type Nvlink } from '../device.ts';
import { nvlinksOf } from './domains.ts';
import { GPU_FIELDS, type NvidiaGpu, parseGpus } from './gpus.ts';
import { runSmi } from './run-smi.ts';
import { parseLinkSpeeds, parseTopology } from './topology.ts';

/** NVIDIA's GPUs of this host and how NVLink joins them, by nvidia-smi's indices; or why nothing is known of them. */
export type NvidiaHost =
  | { readonly kind: 'found'; readonly gpus: readonly NvidiaGpu[]; readonly nvlinks: ReadonlyMap<number, Nvlink> }
  | { readonly kind: 'none'; readonly reason: string };

/** Asks nvidia-smi, which NVIDIA's driver brings along. Never fails: what it does not tell is not known. */
export async function listNvidiaGpus(smi: typeof runSmi = runSmi): Promise<NvidiaHost> {
  const unknown = (): string => '';
  try {
    const [gpus, topology, speeds] = await Promise.all([
      smi([`--query-gpu=${GPU_FIELDS.join(',')}`, '--format=csv,noheader,nounits']).then(parseGpus),
      // A GPU without NVLink, or a driver without the question, is no reason to know nothing.
      smi(['topo', '-m']).catch(unknown),
      smi(['nvlink', '-s']).catch(unknown),
    ]);
    if (gpus.length === 0) return { kind: 'none', reason: 'nvidia-smi lists no GPU' };
    return { kind: 'found', gpus, nvlinks: nvlinksOf({ gpus, links: parseTopology(topology), speeds: parseLinkSpeeds(speeds) }) };
  } catch (thrown) {
    return { kind: 'none', reason: AppError.from(thrown).message };
  }
}
