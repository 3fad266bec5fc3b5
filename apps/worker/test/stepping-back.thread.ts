import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { stepBack } from '../src/step-back.ts';

stepBack();
parentPort!.postMessage(getPriority(Number(basename(readlinkSync('/proc/thread-self')))));
