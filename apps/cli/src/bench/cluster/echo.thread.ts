/** The entry of the other side's thread: whatever is sent to it comes back. */
import { parentPort, workerData } from 'node:worker_threads';
import { type TlsMaterial } from '@essaim/rpc';
import { serveEchoes } from './echo.ts';

parentPort?.postMessage(await serveEchoes(workerData as TlsMaterial));
