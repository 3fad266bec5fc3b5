import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../package-root.ts';
import { inspectModel } from './inspect-model.ts';

const fixture = (name: string): string => join(packageRoot(), 'test', 'golden', 'models', name);

describe('a checkpoint is looked at before anything starts', () => {
  it.each([
    ['mistral-window-bf16', 'float'], ['mixtral-fp8-blocks', 'fp8'], ['mixtral-nvfp4', 'nvfp4'], ['mixtral-fp8-tensors-mistral-layout', 'fp8'], ['mistral4-yarn-fp8-blocks-mistral-layout', 'fp8'], ['deepseek-v3-yarn-groups-bf16', 'float'],
  ])('%s: what it stores, in either layout', async (name, precision) => {
    expect(await inspectModel(fixture(name))).toEqual({ precision, notes: [] });
  });

  it('what of it is not read', async () => {
    expect(await inspectModel(fixture('mistral3-images-yarn-tied-bf16'))).toMatchObject({ notes: [expect.stringContaining('this model answers text only')] });
    expect(await inspectModel(fixture('deepseek-v3-yarn-groups-transformers4-bf16'))).toMatchObject({ notes: [expect.stringContaining('guess further tokens')] });
  });
});

describe('refused is a path that is', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'essaim-inspect-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each<[string, (folder: string) => string, object]>([
    ['nothing', (within) => join(within, 'nowhere'), { code: 'not_found', message: expect.stringContaining('nowhere does not exist: give --model the folder of a checkpoint') as string }],
    ['a file', (within) => (writeFileSync(join(within, 'file'), ''), join(within, 'file')), { code: 'not_found', message: expect.stringContaining('file is not a folder') as string }],
    ['a folder of something else', (within) => within, { code: 'not_found', message: expect.stringContaining('holds no checkpoint that Essaim reads') as string }],
    ['a configuration without weights', (within) => (copyFileSync(join(fixture('mixtral-nvfp4'), 'config.json'), join(within, 'config.json')), within), { code: 'not_found', message: expect.stringContaining('model.safetensors') as string }],
  ])('%s', async (_, path, refusal) => {
    await expect(inspectModel(path(folder))).rejects.toMatchObject(refusal);
  });
});
