import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError } from '@essaim/core';
import { type ProbeAnswers, type ProbeReply, type ProbeRequest } from './probe.ts';

/** The first graph that a driver runs takes seconds to compile, and TensorRT's most of a minute. */
const PATIENCE_MS = 60_000;

/** What is asked once is not worth keeping: else Mesa's and NVIDIA's drivers write what they compiled into the home folder. */
const NO_CACHES = { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };

export interface ProbeOptions {
  /** The file that the process runs: it calls `runProbe`. */
  readonly entry: URL;
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly patienceMs?: number;
}

/**
 * Asks a process of its own. Fails with its reason, or, since a crash and a silence are answers too, with how it ended: `unavailable` and `deadline_exceeded`.
 */
export async function askProbe<R extends ProbeRequest>(request: R, { entry, environment = {}, patienceMs = PATIENCE_MS }: ProbeOptions): Promise<ProbeAnswers[R['kind']]> {
  const { promise, resolve, reject } = Promise.withResolvers<ProbeAnswers[R['kind']]>();
  const child = fork(fileURLToPath(entry), [JSON.stringify(request)], { env: { ...process.env, ...NO_CACHES, ...environment }, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.once('message', (reply: ProbeReply) => {
    if (reply.kind === 'answer') resolve(reply.answer as ProbeAnswers[R['kind']]);
    else reject(new AppError('failed_precondition', reply.reason));
  });
  child.once('error', (cause) => reject(new AppError('unavailable', 'no process could be started to look for devices', { cause })));
  child.once('close', (code, signal) => reject(new AppError('unavailable', `the driver ended the process that tried it (${signal ?? `exit code ${code}`})`)));
  const timer = setTimeout(() => reject(new AppError('deadline_exceeded', `the driver did not answer within ${patienceMs / 1_000} s`)), patienceMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.unref();
    if (child.connected) child.disconnect();
  }
}
