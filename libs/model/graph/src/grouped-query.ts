import { AppError, type GroupedQueryAttention, type ModelSpec } from '@essaim/core';

/** The attention of a model that there are graphs for. Fails with `unimplemented` for any other. */
export function groupedQueryOf({ attention }: Pick<ModelSpec, 'attention'>): GroupedQueryAttention {
  if (attention.kind === 'gqa') return attention;
  throw new AppError('unimplemented', 'the model has latent attention (MLA), for which there are no ONNX graphs: run it with the kernels of the CPU');
}
