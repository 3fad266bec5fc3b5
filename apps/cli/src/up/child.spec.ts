import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Child } from './child.ts';
import { LogFile } from './log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'essaim-child-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
let count = 0;
function child(program: string): Child {
  const entry = join(folder, `${++count}.mjs`);
  writeFileSync(entry, program);
  return new Child({ name: 'w1', entry, env: {}, log: new LogFile(join(folder, `${count}.log`)) });
}

const STAYS = "process.on('message', () => undefined); process.send({ kind: 'listening', port: 7 });";

it('waits for a message, and ends when asked', async () => {
  const process = child(STAYS);
  expect(await process.message('listening', never)).toEqual({ kind: 'listening', port: 7 });
  await process.stop(10_000, never);
  expect(await process.ended).toBe('killed by SIGTERM');
  expect(process.isRunning).toBe(false);
});

it('passes on why the process gave up', async () => {
  const process = child("process.send({ kind: 'failed', message: 'the model is broken' });");
  await expect(process.message('ready', never)).rejects.toThrow('the model is broken');
  await process.ended;
});

it('shows the last lines of the log when a process dies without a word', async () => {
  const process = child(`console.error(JSON.stringify({ level: 'error', message: 'no memory', error: { message: '2 GB' } })); process.exitCode = 3;`);
  await expect(process.message('ready', never)).rejects.toThrow(/w1 ended while starting \(exit code 3\); its log .* ends with\n {2}no memory: 2 GB/);
});

it('kills what does not end in time, and at once when in a hurry', async () => {
  const deaf = `process.on('SIGTERM', () => undefined); ${STAYS}`;
  const [slow, hurried] = [child(deaf), child(deaf)];
  await Promise.all([slow.message('listening', never), hurried.message('listening', never)]);
  await Promise.all([slow.stop(50, never), hurried.stop(600_000, AbortSignal.abort())]);
  expect(await Promise.all([slow.ended, hurried.ended])).toEqual(['killed by SIGKILL', 'killed by SIGKILL']);
});

it('stops waiting with the signal', async () => {
  const process = child(STAYS);
  await expect(process.message('ready', AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'deadline_exceeded' });
  await process.stop(10_000, never);
});

it('tells a process what it is to know, also one that listens only later', async () => {
  const process = child("setImmediate(() => process.once('message', ({ address }) => process.send({ kind: 'listening', address })));");
  process.tell({ kind: 'control-plane', address: '127.0.0.1:7' });
  expect(await process.message('listening', never)).toEqual({ kind: 'listening', address: '127.0.0.1:7' });
  await process.ended;
});
