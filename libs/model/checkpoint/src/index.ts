export { type Checkpoint, describeModel, openCheckpoint, readModelSpec } from './checkpoint.ts';
export * from './folder.ts';
