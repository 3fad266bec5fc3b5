/** Reads a buffer of its own from end to end, as often as it is asked. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@essaim/core';

const { bytes } = workerData as { bytes: number };
// Pages of zeros would be one page of the kernel's, read from the cache: the buffer holds ones.
const buffer = Buffer.alloc(bytes, 1);

assert(parentPort, 'this is a thread');
const port = parentPort;
port.on('message', () => {
  // Searching for a byte that isn't there is the C library's memchr: vector loads and nothing else.
  assert(buffer.indexOf(2) === -1, 'the buffer holds only ones');
  port.postMessage('read');
});
port.postMessage('filled');
