export { openCheckpointFolder } from './checkpoint-folder.ts';
