/** Reads a buffer of its own from end to end, as often as it is asked. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '@essaim/core';

const { bytes } = workerData as { bytes: number };
// No two pages are alike, or a system that merges such pages would let them be read from the cache. Every byte is odd.
const words = new Uint32Array(Math.floor(bytes / Uint32Array.BYTES_PER_ELEMENT));
for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 0x9e3779b1) | 0x01010101;
const buffer = Buffer.from(words.buffer);

assert(parentPort, 'this is a thread');
const port = parentPort;
port.on('message', () => {
  // Searching for a byte that isn't there is the C library's memchr: vector loads and nothing else.
  assert(buffer.indexOf(2) === -1, 'no byte is even');
  port.postMessage('read');
});
port.postMessage('filled');
