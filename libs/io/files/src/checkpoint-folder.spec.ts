import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { appendFile, mkdir, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpointFolder } from './checkpoint-folder.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'essaim-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const inFolder = (name: string): string => join(directory, name);
const limit = { maxBytes: 100 };

describe('openCheckpointFolder', () => {
  it('reads byte ranges of a file, each into aligned memory of its own', async () => {
    await writeFile(inFolder('a'), Uint8Array.from({ length: 100 }, (_, place) => place));
    const folder = openCheckpointFolder(directory);
    const file = (await folder.open('a'))!;
    expect([file.name, file.sizeBytes]).toEqual(['a', 100]);
    const parts = await Promise.all([file.read(7, 3), file.read(0, 100), file.read(100, 0)]);
    expect(parts.map((bytes) => bytes.byteOffset % 8)).toEqual([0, 0, 0]);
    expect(parts.map((bytes) => bytes.buffer.byteLength)).toEqual([3, 100, 0]);
    expect(parts[0]).toEqual(Uint8Array.of(7, 8, 9));
    await folder.close();
  });

  it('opens a file once, whoever asks how often', async () => {
    await writeFile(inFolder('a'), 'abc');
    const folder = openCheckpointFolder(directory);
    const [one, other] = await Promise.all([folder.open('a'), folder.open('a')]);
    expect(one).toBe(other);
    expect(await folder.open('a')).toBe(one);
    await folder.close();
  });

  it('says null where nothing lies, and looks again the next time', async () => {
    const folder = openCheckpointFolder(directory);
    expect(await folder.open('a')).toBeNull();
    expect(await folder.readText('a', limit)).toBeNull();
    expect(await folder.has('a')).toBe(false);
    await writeFile(inFolder('a'), 'here');
    expect(await folder.has('a')).toBe(true);
    expect(await folder.readText('a', limit)).toBe('here');
    expect(await folder.open('a')).not.toBeNull();
    await folder.close();
    expect(await openCheckpointFolder(inFolder('no-such-folder')).readText('config.json', limit)).toBeNull();
  });

  it('follows symbolic links, as a Hugging Face cache is made of', async () => {
    await mkdir(inFolder('blobs'));
    await mkdir(inFolder('snapshot'));
    await writeFile(inFolder('blobs/0a1b'), 'weights');
    await symlink('../blobs/0a1b', inFolder('snapshot/model.safetensors'));
    const folder = openCheckpointFolder(inFolder('snapshot'));
    expect(await folder.readText('model.safetensors', limit)).toBe('weights');
    expect((await folder.open('model.safetensors'))!.sizeBytes).toBe(7);
    await folder.close();
  });

  it.each(['../secret', 'sub/file', '/etc/passwd', '..', '.', '', 'C:file', '..\\secret', 'a\0b'])('refuses to look for %j, which is no entry of the folder', async (name) => {
    const folder = openCheckpointFolder(directory);
    const refusal = { code: 'permission_denied', message: `${directory} refers to the file ${JSON.stringify(name)}: only files in that folder itself are read` };
    await expect(folder.open(name)).rejects.toMatchObject(refusal);
    await expect(folder.readText(name, limit)).rejects.toMatchObject(refusal);
  });

  it('refuses what is not a regular file, without waiting for it', async () => {
    await mkdir(inFolder('folder'));
    execFileSync('mkfifo', [inFolder('pipe')]);
    await writeFile(inFolder('text'), '');
    const folder = openCheckpointFolder(directory);
    for (const name of ['folder', 'pipe']) await expect(folder.open(name)).rejects.toMatchObject({ code: 'not_found', message: `${inFolder(name)} is not a regular file: replace it by the checkpoint's own file` });
    await expect(openCheckpointFolder(inFolder('text')).open('a')).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('can\'t be read (ENOTDIR)') as string });
    await folder.close();
  });

  it('refuses text that is too large or no text', async () => {
    await writeFile(inFolder('large'), 'x'.repeat(101));
    await writeFile(inFolder('latin'), Uint8Array.of(0x63, 0xe9));
    const folder = openCheckpointFolder(directory);
    await expect(folder.readText('large', limit)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(`${inFolder('large')} has 101 bytes, more than the 100`) as string });
    await expect(folder.readText('latin', limit)).rejects.toMatchObject({ code: 'data_loss', message: `${inFolder('latin')} is not UTF-8 text: download it again` });
  });

  it('notices a read past the end, also of a file that was cut since', async () => {
    await writeFile(inFolder('a'), 'abcdef');
    const folder = openCheckpointFolder(directory);
    const file = (await folder.open('a'))!;
    const refusal = (end: number) => ({ code: 'data_loss', message: expect.stringContaining(`${inFolder('a')} ends before byte ${end}`) as string });
    await expect(file.read(4, 3)).rejects.toMatchObject(refusal(7));
    await truncate(inFolder('a'), 5);
    await expect(file.read(0, 6)).rejects.toMatchObject(refusal(6));
    await folder.close();
  });

  it('gives a file another version when its size or its time changes, and the same under another name', async () => {
    const version = async (name: string): Promise<string> => {
      const folder = openCheckpointFolder(directory);
      const file = await folder.open(name);
      await folder.close();
      return file!.version;
    };
    await writeFile(inFolder('a'), 'abc');
    await symlink('a', inFolder('b'));
    await utimes(inFolder('a'), 1, 1);
    const first = await version('a');
    expect(await version('b')).toBe(first);
    await utimes(inFolder('a'), 1, 2);
    const second = await version('a');
    await appendFile(inFolder('a'), 'd');
    await utimes(inFolder('a'), 1, 2);
    expect(new Set([first, second, await version('a')]).size).toBe(3);
  });

  it('lets reads under way end before it closes, and holds a later use for a bug', async () => {
    await writeFile(inFolder('a'), 'abc');
    const folder = openCheckpointFolder(directory);
    const reading = (await folder.open('a'))!.read(0, 3);
    await folder.close();
    expect(await reading).toEqual(Uint8Array.from(Buffer.from('abc')));
    await expect(folder.open('a')).rejects.toThrow('assertion failed');
    await expect(folder.close()).resolves.toBeUndefined();
  });
});
