import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../test');
const children: ChildProcess[] = [];

let orphan: number | null = null;

afterEach(() => {
  children.splice(0).forEach((child) => child.kill('SIGKILL'));
  if (orphan !== null) process.kill(orphan, 'SIGKILL');
  orphan = null;
});

interface Ended {
  readonly code: number | null;
  readonly messages: readonly unknown[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the process of the specs with this one as its parent. */
function start(what: string): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = fork(join(folder, 'child.ts'), [what], { silent: true });
  children.push(child);
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  const output = Promise.all([once(child, 'close'), text(child.stdout!), text(child.stderr!)]);
  return { child, ended: output.then(([[code], stdout, stderr]) => ({ code: code as number | null, messages, stdout, stderr })) };
}

describe('runProcess', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('lets main drain on %s and ends with exit code 0', async (signal) => {
    const { child, ended } = start('serve');
    await once(child, 'message');
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0, stdout: 'drained\n', stderr: '' });
  });

  it('drains once, however often it is asked to stop', async () => {
    const { child, ended } = start('serve');
    await once(child, 'message');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0, stdout: 'drained\n' });
  });

  it('takes an error that stopping caused for a normal end', async () => {
    const { child, ended } = start('serve-then-throw');
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, messages: [{ kind: 'listening', pid: child.pid }], stdout: 'drained\n', stderr: '' });
  });

  it('ends when main is done, with exit code 0', async () => {
    expect(await start('finish').ended).toEqual({ code: 0, messages: [], stdout: '', stderr: '' });
  });

  it('tells the parent the sentence of a failure and the log its cause, and ends with exit code 1', async () => {
    expect(await start('fail').ended).toEqual({
      code: 1, stdout: '',
      messages: [{ kind: 'failed', message: 'port 8090 is taken: choose another' }],
      stderr: 'port 8090 is taken: choose another <- Error: EADDRINUSE\n',
    });
  });

  it('tells the parent nothing of what nobody classified', async () => {
    expect(await start('crash').ended).toMatchObject({
      code: 1,
      messages: [{ kind: 'failed', message: 'an internal error occurred' }],
      stderr: 'an internal error occurred <- TypeError: secret is not a function\n',
    });
  });

  it('ends without a parent that listens', async () => {
    const child = spawn(process.execPath, [join(folder, 'child.ts'), 'fail']);
    children.push(child);
    expect(await once(child, 'close')).toEqual([1, null]);
  });

  it.each([
    ['while it serves', 'serve', 'listening'],
    ['before it came so far', 'start-late', 'spawned'],
  ])('ends when its parent is killed %s', async (_when, what, progress) => {
    const parent = spawn(process.execPath, [join(folder, 'parent.ts'), what], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    for await (const line of createInterface(parent.stdout)) {
      const [said, pid] = line.split(' ');
      if (said !== progress) continue;
      orphan = Number(pid);
      parent.kill('SIGKILL');
    }
    // The child holds the parent's output too: the loop ended because both are gone.
    orphan = null;
  });
});
