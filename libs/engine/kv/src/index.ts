export { KvCache } from './kv-cache.ts';
export { type KvLayout, KvPool } from './kv-pool.ts';
