import { type ClusterPlan } from './cluster-plan.ts';

/** [layer][expert], made for each expert: none in the dense layers before the first routed one, no layers for a dense model. */
export function byExpert<T>({ layerCount, denseLayerCount, expertCount }: Pick<ClusterPlan, 'layerCount' | 'denseLayerCount' | 'expertCount'>, make: () => T): T[][] {
  if (expertCount === 0) return [];
  return Array.from({ length: layerCount }, (_, layer) => Array.from({ length: layer < denseLayerCount ? 0 : expertCount }, make));
}
