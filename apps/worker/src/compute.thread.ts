import { runComputeThread } from '@essaim/runtime';

/** A thread that computes one slice of the model beside the thread that serves. */
await runComputeThread();
