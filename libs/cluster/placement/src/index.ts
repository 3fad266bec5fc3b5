export * from './policy.ts';
export * from './place-experts.ts';
export * from './weight-bytes.ts';
