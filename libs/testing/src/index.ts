export { type LocalCluster, type LocalClusterOptions, type LocalWorker, startLocalCluster } from './local-cluster.ts';
export { ManualClock } from './manual-clock.ts';
export { type PlacementOptions, spreadExperts } from './spread-experts.ts';
