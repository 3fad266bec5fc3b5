import { parentPort, workerData } from 'node:worker_threads';
import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, assert } from '@essaim/core';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { packIntoCache } from '@essaim/kernels';
import { type PanelPiece } from '@essaim/panels';
import { type CompileReply, type CompileThreadsOptions } from './compile-threads.ts';
import { stepBack } from './step-back.ts';

/** A thread that compiles one piece after the other, so that the thread that serves never waits for disks or quantisation, and hardly for a processor. */
const { model, cacheFolder } = workerData as Pick<CompileThreadsOptions, 'model' | 'cacheFolder'>;
const port = parentPort;
assert(port, 'this file is the entry of a thread');
const reply = (message: CompileReply): void => port.postMessage(message);

stepBack();
const checkpoint = openCheckpoint(openCheckpointFolder(model.directory));
const cache = new CompiledCache(cacheFolder);

port.on('message', async (piece: PanelPiece) => {
  try {
    const { spec, weights } = await checkpoint;
    const file = await packIntoCache({ spec, weights, dtype: model.dtype }, piece, cache, { onBytes: (bytes) => reply({ kind: 'bytes', bytes }) });
    reply({ kind: 'done', file });
  } catch (thrown) {
    reply({ kind: 'failed', error: AppError.from(thrown).report() });
  }
});
