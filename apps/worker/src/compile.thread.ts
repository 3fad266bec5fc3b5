import { parentPort, workerData } from 'node:worker_threads';
import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, assert } from '@essaim/core';
import { CompiledCache, openCheckpointFolder } from '@essaim/files';
import { packIntoCache } from '@essaim/kernels';
import { type PanelPiece } from '@essaim/panels';
import { compileIntoCache, GraphCache } from '@essaim/runtime';
import { type CompileReply, type CompileThreadsOptions } from './compile-threads.ts';
import { stepBack } from './step-back.ts';

/** A thread that compiles one piece after the other, so that the thread that serves never waits for disks or quantisation, and hardly for a processor. */
const { model, cacheFolder, card } = workerData as Pick<CompileThreadsOptions, 'model' | 'cacheFolder' | 'card'>;
const port = parentPort;
assert(port, 'this file is the entry of a thread');
const reply = (message: CompileReply): void => port.postMessage(message);

stepBack();
const checkpoint = openCheckpoint(openCheckpointFolder(model.directory));

port.on('message', async (piece: PanelPiece) => {
  try {
    const { spec, weights } = await checkpoint;
    const compiled = { spec, weights, dtype: model.dtype };
    const progress = { onBytes: (bytes: number) => reply({ kind: 'bytes', bytes }) };
    const file = await (card !== null ? compileIntoCache({ ...compiled, ...card }, piece, new GraphCache(cacheFolder), progress) : packIntoCache(compiled, piece, new CompiledCache(cacheFolder), progress));
    reply({ kind: 'done', file });
  } catch (thrown) {
    reply({ kind: 'failed', error: AppError.from(thrown).report() });
  }
});
