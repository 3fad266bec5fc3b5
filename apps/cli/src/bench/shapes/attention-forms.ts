/**
 * Prints how long one layer's latent attention takes in either form, and both together: `node apps/cli/src/bench/shapes/attention-forms.ts [MODEL] [ROUNDS]`,
 * large-3 and 3 unless given. Forms take turns; the median of the rounds, after a first one that does not count.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledCache } from '@essaim/files';
import { KernelModel, packIntoCache } from '@essaim/kernels';
import { type PanelModel } from '@essaim/panels';
import { summarise } from '../statistics.ts';
import { AttentionRuns } from './attention-runs.ts';
import { type ShapeName, SHAPES } from './models.ts';
import { randomModel } from './random-model.ts';

const KNOWN = [0, 1024, 8192];
const ROWS = [32, 64, 256];
const name = (process.argv[2] ?? 'large-3') as ShapeName;
const rounds = Number(process.argv[3] ?? 3);
const spec = SHAPES[name];
const panels: PanelModel = { spec, weights: randomModel(spec, 1), dtype: 'int4' };
const folder = mkdtempSync(join(tmpdir(), 'essaim-forms-'));
const model = await KernelModel.open({ model: panels, threads: 2, threadEntry: new URL('team.thread.ts', import.meta.url) });
try {
  await model.load(await packIntoCache(panels, { kind: 'layer', layer: 0 }, new CompiledCache(folder), { onBytes: () => undefined }));
  const runs = new AttentionRuns(model, spec);
  console.log('| known tokens | rows | absorbed, ms | by the rule, ms | ratio |\n|---:|---:|---:|---:|---:|');
  for (const known of KNOWN) {
    for (const count of ROWS) await runs.behind({ known, count }, (run) => compare(run.attend, { known, count }));
  }
} finally {
  await model.close();
  rmSync(folder, { recursive: true });
}

async function compare(attend: (hidden: Float32Array, sameInAnyChunk: boolean) => Promise<unknown>, { known, count }: { readonly known: number; readonly count: number }): Promise<void> {
  const hidden = Float32Array.from({ length: count * spec.hiddenSize }, (_, index) => Math.sin(index));
  const ms: [absorbed: number[], byRule: number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    for (const [nth, sameInAnyChunk] of [true, false].entries()) {
      const startMs = performance.now();
      await attend(hidden, sameInAnyChunk);
      if (round >= 0) ms[nth]!.push(performance.now() - startMs);
    }
  }
  const [absorbed, byRule] = ms.map((each) => summarise(each).median) as [number, number];
  console.log(`| ${known} | ${count} | ${absorbed.toFixed(0)} | ${byRule.toFixed(0)} | ${(byRule / absorbed).toFixed(2)} |`);
}
