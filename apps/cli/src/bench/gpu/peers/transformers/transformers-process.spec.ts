import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { transformersContender } from './contender.ts';
import { TransformersProcess } from './transformers-process.ts';

/** In the place of Python with transformers: counts time. Its process, and the lines that go to and fro, are real ones. */
const PYTHON = `
  import { createInterface } from 'node:readline';
  const { folder } = JSON.parse(process.argv[3]);
  for await (const line of createInterface({ input: process.stdin })) {
    const { kind, prompts, newTokens, prompt, tokens } = JSON.parse(line);
    if (newTokens === 13) process.exit(1);
    if (newTokens === 14) { console.log('Loading ...'); continue; }
    const times = Array.from({ length: newTokens }, (_, index) => 100 + index);
    const reply = {
      describe: { kind: 'described', torch: '2', transformers: '5', device: 'a card', dtype: 'float16', attention: 'sdpa', experts: null },
      generate: newTokens > 100 ? { kind: 'failed', message: 'OutOfMemoryError: ' + folder } : { kind: 'generated', askedMs: 90.5, tokenMs: prompts?.map(() => times) },
      predict: { kind: 'predicted', prediction: Array.from({ length: tokens }, (_, nth) => ({ id: prompt?.[0] + nth, logprob: -nth })) },
    };
    console.log(JSON.stringify(reply[kind]));
  }
`;

let folder: string;
let transformers: TransformersProcess;
const start = (python: string): TransformersProcess => new TransformersProcess(python, { folder: 'a checkpoint', pciBusId: null, onProcessor: false }, join(folder, 'log'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-transformers-'));
  const python = join(folder, 'python');
  writeFileSync(join(folder, 'python.mjs'), PYTHON);
  writeFileSync(python, `#!/bin/sh\nexec "${process.execPath}" "${join(folder, 'python.mjs')}" "$@"\n`);
  chmodSync(python, 0o755);
  transformers = start(python);
});
afterEach(async () => {
  await transformers[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const { signal } = new AbortController();
const generate = (newTokens: number) => transformersContender(transformers).generate([[1, 2], [20, 30]], { promptTokens: 2, newTokens, work: 'decode' }, signal);

it('has the time of every token of every answer', async () => {
  expect(await generate(3)).toEqual([{ askedMs: 90.5, tokenMs: [100, 101, 102], promptTokens: 2 }, { askedMs: 90.5, tokenMs: [100, 101, 102], promptTokens: 2 }]);
});

it('has the twenty likeliest tokens, and what transformers is', async () => {
  const prediction = await transformersContender(transformers).predict([7], signal);
  expect([prediction.length, prediction[1]]).toEqual([20, { id: 8, logprob: -1 }]);
  expect(await transformers.ask<'describe'>({ kind: 'describe' }, signal)).toMatchObject({ torch: '2', device: 'a card' });
});

it('says what transformers could not do, and goes on', async () => {
  await expect(generate(500)).rejects.toMatchObject({ code: 'unavailable', message: 'OutOfMemoryError: a checkpoint' });
  expect(await generate(1)).toHaveLength(2);
});

it('does not wait for a process that is gone, and takes nothing else for a reply', async () => {
  await expect(generate(14)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/python answers with 'Loading ...', which is no reply$/) as string });
  await expect(generate(13)).rejects.toThrow(/ended unexpectedly/);
});

it('names a Python that is not there', async () => {
  await using nobody = start(join(folder, 'python4'));
  await expect(nobody.ask<'describe'>({ kind: 'describe' }, signal)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/python4\) could not be started: .*ENOENT/) as string });
});

it.skipIf(spawnSync('python3', ['--version']).status !== 0)('is told by a Python without torch what to install (skipped without Python)', async () => {
  writeFileSync(join(folder, 'torch.py'), "raise ImportError('no torch', name='torch')");
  vi.stubEnv('PYTHONPATH', folder);
  await using bare = start('python3');
  await expect(bare.ask<'describe'>({ kind: 'describe' }, signal)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/ has no torch: install it with .* -m pip install torch transformers accelerate, or name another Python with --python$/) as string });
});
