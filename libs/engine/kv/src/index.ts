export { KvCache } from './kv-cache.ts';
export { type DeviceKv, type KvBuffer, kvBytesPerToken, type KvLayout, kvLayoutOf, type KvMemory, type KvNumbers, kvView } from './kv-layout.ts';
export { KvPool } from './kv-pool.ts';
