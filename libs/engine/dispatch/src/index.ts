export * from './expert-peer.ts';
