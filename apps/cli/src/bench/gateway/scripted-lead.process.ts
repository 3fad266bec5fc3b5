/** The entry of a scripted lead's process: a worker as its gateway sees it, over the same gRPC and TLS. It ends with the process that started it. */
import { AppError, workerId } from '@essaim/core';
import { readTlsFiles, runProcess, tellParent, textVariable, wholeVariable } from '@essaim/process';
import { serveWorker } from '@essaim/rpc';
import { ScriptedLead } from './scripted-lead.ts';

async function main(stop: AbortSignal): Promise<void> {
  const lead = new ScriptedLead(workerId(textVariable('ESSAIM_WORKER_ID')));
  const expert = { execute: () => Promise.reject(new AppError('unimplemented', 'a scripted lead has no experts')) };
  const server = await serveWorker({ lead, expert, epoch: () => 1 }, { host: '127.0.0.1', port: 0, tls: readTlsFiles() });
  await tellParent({ kind: 'listening', port: server.port });
  await lead.run(wholeVariable('ESSAIM_BENCH_STEP_MS', { from: 1, to: 10_000 }), stop);
}

await runProcess({ main, onFailure: (error) => console.error(error) });
