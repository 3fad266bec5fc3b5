export { type Checkpoint, openCheckpoint, readModelSpec } from './checkpoint.ts';
export * from './folder.ts';
