import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type ParentMessage } from './index.ts';

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

/** A process that says where the control plane is. */
function start(variable: string): ChildProcess {
  const child = fork(join(import.meta.dirname, '../test/child.ts'), ['find-control'], { silent: true, env: { ...process.env, ESSAIM_CONTROL_ADDRESS: variable } });
  children.push(child);
  return child;
}

describe('the address of the control plane', () => {
  it('is what the variable says', async () => {
    expect(await text(start('10.0.0.7:8081').stdout!)).toBe('10.0.0.7:8081\n');
  });

  it('is what the parent tells where the variable is empty', async () => {
    const child = start('');
    child.send({ kind: 'control-plane', address: '127.0.0.1:7' } satisfies ParentMessage);
    expect(await text(child.stdout!)).toBe('127.0.0.1:7\n');
  });

  it('is not waited for once the process is asked to stop', async () => {
    const child = start('');
    await once(child, 'spawn');
    child.kill('SIGTERM');
    expect(await text(child.stdout!)).toBe('');
  });

  it('is missing, says a process without a parent and without the variable', async () => {
    const child = start('');
    child.disconnect();
    expect(await text(child.stdout!)).toBe('');
  });
});
