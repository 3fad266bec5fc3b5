export { openCheckpointFolder } from './checkpoint-folder.ts';
export { type CacheEntry, CompiledCache } from './compiled-cache.ts';
