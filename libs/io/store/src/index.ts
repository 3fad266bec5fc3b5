export * from './sqlite-cluster-store.ts';
