import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { syntheticModel } from '../test/synthetic-model.ts';
import { compileIntoCache } from './compile.ts';
import { GraphCache } from './graph-cache.ts';
import { OnnxSession } from './onnx-session.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-session-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('finishes the runs under way before it frees its weights, as when an expert moves while it is called', async () => {
  const model = syntheticModel({ hiddenSize: 32, expertSize: 32, vocabSize: 32, dtype: 'float32' });
  const { modelFiles } = await compileIntoCache(model, { kind: 'expert', layer: 0, expert: 0 }, new GraphCache(folder), { onBytes: () => undefined });
  const session = await OnnxSession.load(modelFiles[0]!, { threads: 1 });
  const run = (): Promise<Readonly<Record<string, Float32Array>>> => session.run({ input: { data: new Float32Array(32).fill(0.5), dims: [1, 32] } });
  const expected = await run();
  const underWay = [run(), run()];
  await session.release();
  expect(await Promise.all(underWay)).toEqual([expected, expected]);
});
