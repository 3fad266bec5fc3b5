import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { packageRoot } from '../package-root.ts';
import { parseTopology, type ParsedTopology } from './parse-topology.ts';

const ENDING = '.yaml';

const folder = (): string => join(packageRoot(), 'deploy', 'topologies');

/** Names of the topologies that come with Essaim. */
export const shippedTopologies = (): string[] =>
  readdirSync(folder()).flatMap((file) => (file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : [])).sort();

/** One that comes with Essaim by its name, else the file. Fails with `not_found` where it is neither. */
export function readTopology(cluster: string): ParsedTopology {
  if (shippedTopologies().includes(cluster)) return { ...parseTopology(readFileSync(join(folder(), `${cluster}${ENDING}`), 'utf8'), cluster), name: cluster };
  if (!existsSync(cluster)) {
    throw new AppError('not_found', `--cluster ${cluster} is neither a file nor one of ${shippedTopologies().join(', ')}`);
  }
  try {
    return parseTopology(readFileSync(cluster, 'utf8'), cluster);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('permission_denied', `${cluster} can't be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown error'}): name a file of yours`, { cause: thrown });
  }
}
