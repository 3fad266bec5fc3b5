export { type LocalCluster, type LocalClusterOptions, type LocalWorker, startLocalCluster } from './local-cluster.ts';
export { type PlacementOptions, spreadExperts } from './spread-experts.ts';
