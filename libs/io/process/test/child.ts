import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@essaim/core';
import { controlAddress, runProcess, tellParent } from '../src/index.ts';

// A process of the cluster for the specs: its argument says what it does.

async function serveUntilStopped(stop: AbortSignal): Promise<void> {
  // Keeps the process alive, as an open port does.
  setInterval(() => undefined, 1_000);
  const stopped = once(stop, 'abort');
  await tellParent({ kind: 'listening', pid: process.pid });
  await stopped;
  process.stdout.write('drained\n');
}

const mains: Readonly<Record<string, (stop: AbortSignal) => Promise<void>>> = {
  serve: serveUntilStopped,
  'serve-then-throw': async (stop) => {
    await serveUntilStopped(stop);
    throw stop.reason as Error;
  },
  'find-control': async (stop) => void process.stdout.write(`${await controlAddress(stop)}\n`),
  finish: () => Promise.resolve(),
  fail: () => Promise.reject(new AppError('failed_precondition', 'port 8090 is taken: choose another', { cause: new Error('EADDRINUSE') })),
  crash: () => Promise.reject(new TypeError('secret is not a function')),
  'start-late': serveUntilStopped,
};

const [name = ''] = process.argv.slice(2);
// Like one whose start takes so long that its parent is gone before it gets here.
if (name === 'start-late') while (process.connected) await delay(1);
await runProcess({
  main: mains[name]!,
  onFailure: ({ message, cause }) => process.stderr.write(`${message} <- ${String(cause)}\n`),
});
