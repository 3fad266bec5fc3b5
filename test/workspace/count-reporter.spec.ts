import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ROOT } from './source-files.ts';

/** What a run of its own over some of the files in outcomes/ prints last, and its exit code. */
async function run(...files: readonly string[]): Promise<{ readonly lastLine: string | undefined; readonly code: unknown }> {
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/.bin/vitest'), 'run', '--config', 'test/workspace/outcomes/vitest.config.ts', ...files], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { lastLine: stdout.trimEnd().split('\n').at(-1), code };
}

describe('a run closes with a line of its own that counts', () => {
  it('what passed, failed and was skipped', async () => {
    expect(await run('one-of-each')).toEqual({ lastLine: '1 passed, 1 failed, 2 skipped', code: 1 });
  });

  it('a file that can not be run as failed', async () => {
    expect(await run('broken')).toEqual({ lastLine: '0 passed, 1 failed', code: 1 });
  });
});
