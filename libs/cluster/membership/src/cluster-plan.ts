import { denseLayerCount, expertCount, type ModelRef, type ModelSpec } from '@essaim/core';

/** What the operator asked this cluster to be. */
export interface ClusterPlan {
  readonly model: ModelRef;
  readonly layerCount: number;
  /** Before the first routed one; all of a dense model. */
  readonly denseLayerCount: number;
  /** Experts of each routed layer; 0 for a dense model. */
  readonly expertCount: number;
  /** Copies of each expert. */
  readonly replicas: number;
  /** The first placement waits for so many workers... */
  readonly expectedWorkers: number;
  /** ...at most this long from the start; then it takes those that came. */
  readonly joinGraceMs: number;
}

export interface PlanRequest extends Pick<ClusterPlan, 'model' | 'replicas' | 'expectedWorkers' | 'joinGraceMs'> {
  readonly spec: ModelSpec;
}

export function planCluster({ spec, ...request }: PlanRequest): ClusterPlan {
  return { ...request, layerCount: spec.layerCount, denseLayerCount: denseLayerCount(spec), expertCount: expertCount(spec) };
}
