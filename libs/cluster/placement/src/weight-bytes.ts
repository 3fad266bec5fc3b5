import { attentionMatrices, denseLayerCount, denseSizeOf, expertCount, type ModelSpec, type WeightDtype } from '@essaim/core';

/** Bytes of one weight while running; the small forms carry a bfloat16 scale for each block of 32. */
const BYTES_PER_WEIGHT: Readonly<Record<WeightDtype, number>> = { float32: 4, int8: 1 + 2 / 32, int4: 0.5 + 2 / 32 };
/** The embedding is a table as stored, most often in 16 bits; a head tied to it is held beside it. */
const EMBEDDING_BYTES: Readonly<Record<WeightDtype, number>> = { float32: 4, int8: 2, int4: 2 };

/** Memory of one routed expert: gate, up and down, [size, hidden] each. 0 for a dense model. */
export function expertBytes({ feedForward, hiddenSize }: ModelSpec, dtype: WeightDtype): number {
  return feedForward.kind === 'moe' ? Math.ceil(3 * hiddenSize * feedForward.size * BYTES_PER_WEIGHT[dtype]) : 0;
}

/** Memory of everything but the routed experts, which each lead holds whole: embedding, head, attention, routers, dense layers, shared experts. An estimate. */
export function denseBytes(spec: ModelSpec, dtype: WeightDtype): number {
  const { vocabSize, hiddenSize, layerCount, attention } = spec;
  // What makes the keys of latents is held twice, once turned.
  const turnedWeights = attention.kind === 'mla' ? attention.headCount * attention.plainSize * attention.latentRank : 0;
  const attentionWeights = attentionMatrices(attention, hiddenSize).reduce((sum, [rows, columns]) => sum + rows * columns, turnedWeights);
  const routerWeights = (layerCount - denseLayerCount(spec)) * hiddenSize * expertCount(spec);
  const denseWidths = Array.from({ length: layerCount }, (_, layer) => denseSizeOf(spec, layer)).reduce((sum, size) => sum + size, 0);
  const weights = vocabSize * hiddenSize + layerCount * attentionWeights + routerWeights + 3 * hiddenSize * denseWidths;
  return Math.ceil(vocabSize * hiddenSize * EMBEDDING_BYTES[dtype] + weights * BYTES_PER_WEIGHT[dtype]);
}

/** For people: 1.5 GB, 24 MB. */
export function formatBytes(bytes: number): string {
  const unit = bytes >= 1e9 ? { size: 1e9, name: 'GB' } : { size: 1e6, name: 'MB' };
  return `${(bytes / unit.size).toFixed(bytes >= 10 * unit.size ? 0 : 1)} ${unit.name}`;
}
