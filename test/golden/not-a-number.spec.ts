import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { WEIGHT_DTYPES } from '@essaim/core';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest, tokensOf } from './generate.ts';
import { checkpointDirectory } from './read-vectors.ts';
import { startTiny, TINY, tinyVector } from './tiny-cluster.ts';

/** A checkpoint that is broken in one place: only who comes across it fails, whoever else is computed in the same steps. */

/** One that no answer of the sound model comes across, in whatever form its weights run. */
const BROKEN_TOKEN = 220;
const BF16_BYTES = 2;
const BF16 = { nan: 0x7fc0, infinity: 0x7f80 };

const headerSchema = z.record(z.string(), z.object({ shape: z.array(z.number()), data_offsets: z.tuple([z.number(), z.number()]) }).partial());

const compiled = temporaryCache();
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'essaim-broken-'))));
afterAll(() => {
  rmSync(folder, { recursive: true });
  compiled.remove();
});

/** A copy of the tiny checkpoint whose embedding of one token is `bits` throughout. */
function brokenCheckpoint(name: keyof typeof BF16): string {
  const copy = join(folder, name);
  cpSync(checkpointDirectory(`test/golden/models/${TINY}`), copy, { recursive: true });
  const file = join(copy, 'model.safetensors');
  const bytes = readFileSync(file);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const { shape, data_offsets } = headerSchema.parse(JSON.parse(bytes.toString('utf8', 8, headerEnd)))['model.embed_tokens.weight']!;
  const columns = shape![1]!;
  const row = headerEnd + data_offsets![0] + BROKEN_TOKEN * columns * BF16_BYTES;
  for (let column = 0; column < columns; column++) bytes.writeUInt16LE(BF16[name], row + column * BF16_BYTES);
  writeFileSync(file, bytes);
  return copy;
}

const broken = greedyRequest([...tinyVector.promptIds.slice(0, 5), BROKEN_TOKEN, ...tinyVector.promptIds.slice(5)], 8);
const sound = greedyRequest(tinyVector.promptIds, 32);
const refusal = { code: 'internal', message: expect.stringContaining('not a number') as string };

describe.each(['nan', 'infinity'] as const)('an embedding of %s', (name) => {
  it.each(WEIGHT_DTYPES)('fails the sequences whose prompt holds the token, and no other of the same steps, at %s', async (dtype) => {
    const directory = brokenCheckpoint(name);
    const steps: (readonly number[])[] = [];
    await using cluster = await startTiny({ cache: compiled.cache, directory, dtype, limits: { stepTokens: 128 }, onStep: (counts) => steps.push(counts) });
    const { engine } = cluster.workers[0]!;
    const alone = await tokensOf(engine, sound);
    if (dtype === 'float32') expect(alone).toEqual(tinyVector.greedyIds);
    steps.length = 0;
    // The first is scheduled by itself: the others join its second step.
    const answers = await Promise.allSettled([tokensOf(engine, sound), tokensOf(engine, broken), tokensOf(engine, sound), eventsOf(engine, { ...broken, maxTokens: 0, promptLogprobs: 1 })]);
    expect(steps[1]).toHaveLength(4);
    expect(answers.filter((_, nth) => nth % 2 === 0)).toEqual([alone, alone].map((value) => ({ status: 'fulfilled', value })));
    expect(answers.filter((_, nth) => nth % 2 === 1)).toEqual([refusal, refusal].map((reason) => ({ status: 'rejected', reason: expect.objectContaining(reason) as unknown })));
    expect([engine.runningSequences, cluster.kv.usedBytes]).toEqual([0, 0]);
  });
});

it('a broken prompt fails in the step that computes the token, and leaves nothing to prompts that begin alike', async () => {
  const steps: (readonly number[])[] = [];
  await using cluster = await startTiny({ cache: compiled.cache, directory: brokenCheckpoint('nan'), limits: { stepTokens: 40 }, onStep: (counts) => steps.push(counts) });
  const { engine } = cluster.workers[0]!;
  const long = Array.from({ length: 100 }, (_, position) => (position === 50 ? BROKEN_TOKEN : 3 + position));
  await expect(tokensOf(engine, greedyRequest(long, 8))).rejects.toMatchObject(refusal);
  expect([steps, cluster.kv.usedBytes, cluster.kv.keptBytes]).toEqual([[[40], [40]], 0, 0]);
  const answer = await eventsOf(engine, greedyRequest(long.slice(0, 50), 1));
  expect(answer.at(-1)).toMatchObject({ kind: 'done', stats: { cachedPromptTokens: 0 } });
});
