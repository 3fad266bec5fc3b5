import { spawn } from 'node:child_process';
import { AppError } from '@essaim/core';

/** A driver that is in trouble answers after minutes or never: a badly seated bridge once made `topo -m` take 112 s (github.com/NVIDIA/nccl/issues/557). */
const PATIENCE_MS = 10_000;
/** Sixteen GPUs and as many network cards fill a few KiB. */
const LONGEST_OUTPUT = 1 << 20;

/**
 * What `nvidia-smi` prints. Nobody waits longer than that, even for a process that the kernel does not let go. Fails with `not_found` where
 * there is none, `deadline_exceeded` where it does not answer, and `unavailable` with its own first line where it answers with an error.
 */
export async function runSmi(args: readonly string[], { command = 'nvidia-smi', patienceMs = PATIENCE_MS } = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  let output = '';
  const take = (chunk: Buffer): void => void (output.length < LONGEST_OUTPUT && (output += chunk.toString()));
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  child.once('error', (cause) => reject(new AppError('not_found', 'nvidia-smi, which comes with NVIDIA\'s driver, is not installed', { cause })));
  child.once('close', (code) => (code === 0 ? resolve(output) : reject(new AppError('unavailable', `nvidia-smi says: ${output.trim().split('\n')[0]!.slice(0, 200) || `exit code ${code}`}`))));
  const timer = setTimeout(() => reject(new AppError('deadline_exceeded', `nvidia-smi ${args[0]!.split('=')[0]} did not answer within ${patienceMs / 1_000} s: the driver is in trouble`)), patienceMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    child.unref();
  }
}
