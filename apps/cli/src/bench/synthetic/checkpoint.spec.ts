import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '@essaim/checkpoint';
import { type ModelSpec, PLAIN_ROUTING, type TensorView } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { createTokenizer } from '@essaim/tokenizer';
import { packageRoot } from '../../package-root.ts';
import { checkRoom, syntheticCheckpoint, type SyntheticOptions } from './checkpoint.ts';
import { SYNTHETIC_MIXTRAL } from './model.ts';

const TINY: ModelSpec = {
  ...SYNTHETIC_MIXTRAL,
  vocabSize: 8300, hiddenSize: 64, layerCount: 2, contextLength: 128,
  attention: { kind: 'gqa', headCount: 4, kvHeadCount: 2, headSize: 16, slidingWindow: null },
  feedForward: { kind: 'moe', size: 96, expertCount: 4, expertsPerToken: 2, ...PLAIN_ROUTING },
};
const PETIT = join(packageRoot(), 'deploy', 'models', 'petit');

let cacheFolder: string;
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'essaim-synthetic-'));
});
afterEach(() => rmSync(cacheFolder, { recursive: true }));

const tiny = (changes: Partial<SyntheticOptions> = {}): SyntheticOptions => ({
  spec: TINY, seed: 1, cacheFolder, tokenizerFolder: PETIT, shardBytes: 1 << 20, onProgress: () => undefined, signal: new AbortController().signal, ...changes,
});
const json = (folder: string, file: string): object => JSON.parse(readFileSync(join(folder, file), 'utf8')) as object;
const weightFiles = (folder: string): Buffer[] => readdirSync(folder).filter((file) => file.endsWith('.safetensors')).map((file) => readFileSync(join(folder, file)));

describe('syntheticCheckpoint', () => {
  it('writes what our own reader takes for the model that was asked for, in several shards', async () => {
    const folder = await syntheticCheckpoint(tiny());
    expect(weightFiles(folder).length).toBeGreaterThan(1);
    const { spec, close } = await openCheckpoint(openCheckpointFolder(folder));
    expect(spec).toEqual(TINY);
    await close();
  });

  it('gives matrices 1 / sqrt(fan-in), norms about 1, and no row twice', async () => {
    const { weights, close } = await openCheckpoint(openCheckpointFolder(await syntheticCheckpoint(tiny())));
    const layer = weights.layers[1]!;
    const down = layer.feedForward.kind === 'moe' ? layer.feedForward.experts[3]!.down : weights.head;
    expect(await momentsOf(weights.head)).toEqual({ mean: expect.closeTo(0, 2) as number, deviation: expect.closeTo(1 / 8, 2) as number });
    expect(await momentsOf(down)).toEqual({ mean: expect.closeTo(0, 2) as number, deviation: expect.closeTo(1 / Math.sqrt(96), 2) as number });
    expect((await momentsOf(layer.inputNorm)).mean).toBeCloseTo(1, 1);
    const rows = await weights.head.read(0, TINY.vocabSize);
    const distinct = new Set(Array.from({ length: TINY.vocabSize }, (_, row) => rows.subarray(row * 64, (row + 1) * 64).join()));
    expect(distinct.size).toBeGreaterThan(0.98 * TINY.vocabSize);
    await close();
  });

  it('gives every id of its vocabulary a text, and tokenizes as the model whose tokenizer it took', async () => {
    const folder = await syntheticCheckpoint(tiny());
    const open = (directory: string) => createTokenizer({ tokenizer: json(directory, 'tokenizer.json'), tokenizerConfig: json(directory, 'tokenizer_config.json') });
    const [ours, original] = [open(folder), open(PETIT)];
    expect(ours.vocabSize).toBe(TINY.vocabSize);
    expect(Array.from({ length: TINY.vocabSize }, (_, id) => id).filter((id) => ours.tokenBytes(id).length === 0)).toEqual([]);
    expect(ours.decode([8192, TINY.vocabSize - 1])).toBe(' filler8192 filler8299');
    const encode = (tokenizer: typeof ours): number[] => tokenizer.encode('Il était une fois filler8192', { addSpecialTokens: false });
    expect(encode(ours)).toEqual(encode(original));
  });

  it('makes the same bits of the same seed, and others of another', async () => {
    const folders = [0, 0, 1].map((seed, index) => ({ seed, cacheFolder: join(cacheFolder, String(index)) }));
    const [one, again, other] = await Promise.all(folders.map(async (changes) => weightFiles(await syntheticCheckpoint(tiny(changes)))));
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('writes once, and says how far it is', async () => {
    const progress: [number, number][] = [];
    const folder = await syntheticCheckpoint(tiny({ onProgress: (done, total) => progress.push([done, total]) }));
    const before = statSync(folder).mtimeMs;
    const { metadata } = json(folder, 'model.safetensors.index.json') as { metadata: { total_size: number } };
    expect(progress.at(-1)).toEqual([metadata.total_size, metadata.total_size]);
    expect(await syntheticCheckpoint(tiny({ onProgress: () => expect.unreachable() }))).toBe(folder);
    expect(statSync(folder).mtimeMs).toBe(before);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const stop = new AbortController();
    await expect(syntheticCheckpoint(tiny({ onProgress: () => stop.abort(), signal: stop.signal }))).rejects.toThrow('aborted');
    expect(readdirSync(cacheFolder)).toEqual([]);
  });

  it('begins anew where it was killed half-way', async () => {
    const folder = await syntheticCheckpoint(tiny());
    const files = weightFiles(folder);
    renameSync(folder, `${folder}.part`);
    rmSync(join(`${folder}.part`, 'config.json'));
    expect(await syntheticCheckpoint(tiny())).toBe(folder);
    expect(weightFiles(folder)).toEqual(files);
    expect(readdirSync(cacheFolder)).toEqual([basename(folder)]);
  });
});

it('refuses to start on a disk without room, and says how much is missing', async () => {
  await expect(checkRoom(cacheFolder, 1e18)).rejects.toMatchObject({ code: 'resource_exhausted', message: expect.stringMatching(/ GB free and the synthetic checkpoint needs 1000000000\.0 GB/) as string });
  await expect(checkRoom(cacheFolder, 1)).resolves.toBeUndefined();
});

async function momentsOf(view: TensorView): Promise<{ mean: number; deviation: number }> {
  const values = await view.read(0, view.rows);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
