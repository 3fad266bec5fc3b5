export { KvCache } from './kv-cache.ts';
export { kvBytesPerToken, type KvLayout, kvLayoutOf } from './kv-layout.ts';
export { KvPool } from './kv-pool.ts';
