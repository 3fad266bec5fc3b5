import { runComputeThread } from '../src/index.ts';

/** A thread that computes one slice of the model beside the thread that serves. */
await runComputeThread();
