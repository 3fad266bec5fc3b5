import { rmSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WeightDtype } from '@essaim/core';
import { type PieceKey } from '@essaim/graph';
import { compileIntoCache, GraphCache } from '../src/index.ts';
import { syntheticModel, type SyntheticSize } from './synthetic-model.ts';

/**
 * A process of its own, so that its memory is its own: compiles one piece and prints how many bytes it took at its highest beyond
 * what it took before. Arguments: a piece as JSON, a dtype, and the model's sizes as JSON.
 */
const [piece, dtype, size] = process.argv.slice(2);

function highestBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) * 1024;
}

const folder = mkdtempSync(join(tmpdir(), 'essaim-compile-alone-'));
try {
  const model = syntheticModel({ ...(JSON.parse(size!) as Omit<SyntheticSize, 'dtype'>), dtype: dtype as WeightDtype });
  const before = highestBytes();
  const { weightBytes } = await compileIntoCache(model, JSON.parse(piece!) as PieceKey, new GraphCache(folder), { onBytes: () => undefined });
  console.log(JSON.stringify({ weightBytes, tookBytes: highestBytes() - before }));
} finally {
  rmSync(folder, { recursive: true });
}
