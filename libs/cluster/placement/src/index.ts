export * from './format-bytes.ts';
export * from './policy.ts';
export * from './place-experts.ts';
export * from './worker-room.ts';
