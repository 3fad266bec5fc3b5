import { afterAll, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { openCheckpointFolder } from '@essaim/files';
import { compileIntoCache, DeviceModel, GraphCache } from '@essaim/runtime';
import { temporaryCache } from './compiled.ts';
import { float16Device } from './device.ts';
import { checkpointDirectory } from './read-vectors.ts';
import { TINY } from './tiny-cluster.ts';

const DEVICE = float16Device();
const ROWS = 8;
const compiled = temporaryCache();
afterAll(compiled.remove);

// What an expert puts out stays on the device and is read once more; ONNX Runtime ended the process where the expert was gone by then.
it.skipIf(DEVICE === null)('an expert that leaves a device while it runs for a lead ends its work first (skipped without lavapipe)', async () => {
  const checkpoint = await openCheckpoint(openCheckpointFolder(checkpointDirectory(`test/golden/models/${TINY}`)));
  const { spec, weights } = checkpoint;
  const model = await DeviceModel.open({ spec, device: DEVICE! });
  const keys = [0, 1, 2, 3].map((expert) => ({ kind: 'expert' as const, layer: 0, expert }));
  const files = await Promise.all(keys.map((key) => compileIntoCache({ spec, weights, dtype: 'float32' }, key, new GraphCache(compiled.cache), { onBytes: () => undefined })));
  const groups = keys.map(({ expert }) => ({ expert, activations: new Float32Array(ROWS * spec.hiddenSize).fill(expert + 1) }));
  let expected: readonly Float32Array[] | null = null;
  for (let round = 0; round < 10; round++) {
    for (const file of files) await model.load(file);
    const results = model.run(0, groups);
    await Promise.all(keys.map((key) => model.unload(key)));
    expect(await results).toEqual(expected ??= await results);
  }
  await model.close();
  await checkpoint.close();
});
