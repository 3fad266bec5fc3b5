import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledCache } from '@essaim/files';
import { packIntoCache } from '../src/compile-panels.ts';
import { headedModel, type HeadSize } from './headed-model.ts';

/**
 * A process of its own, so that its memory is its own: packs a head and prints its bytes, and how many bytes the process took at its
 * highest beyond what it took before. Argument: the model's sizes as JSON.
 */
function highestBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) * 1024;
}

const folder = mkdtempSync(join(tmpdir(), 'essaim-pack-alone-'));
try {
  const model = headedModel(JSON.parse(process.argv[2]!) as HeadSize);
  const before = highestBytes();
  const { bytes } = await packIntoCache(model, { kind: 'head' }, new CompiledCache(folder), { onBytes: () => undefined });
  console.log(JSON.stringify({ bytes, tookBytes: highestBytes() - before }));
} finally {
  rmSync(folder, { recursive: true });
}
