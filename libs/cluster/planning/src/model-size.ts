import { defaultKvDtype, KV_VALUE_BYTES, type ModelDescription } from '@essaim/core';
import { attentionSize, type Shape } from './attention-size.ts';
import { MATRIX_BYTES, type PlannedDtype } from './matrix-bytes.ts';

/** The engine keeps norms, routers and activations in float32, and the embedding as stored, in 16 bits. */
const FLOAT32_BYTES = 4;
const EMBEDDING_BYTES = 2;

/** What a model weighs, in bytes unless the name says otherwise. */
export interface ModelSize {
  readonly layerCount: number;
  readonly routedLayerCount: number;
  /** Of each routed layer; both 0 for a dense model. */
  readonly expertCount: number;
  readonly expertsPerToken: number;
  readonly expertBytes: number;
  /** Everything but the routed experts; each lead holds it whole. */
  readonly denseBytes: number;
  /** What of it one step reads: all but what it has in another form, and the rows of the embedding that no token asks for. */
  readonly readDenseBytes: number;
  readonly kvBytesPerToken: number;
  /** Working memory of one token in a step, widest layer, its experts included. */
  readonly activationBytesPerToken: number;
  readonly logitBytes: number;
  readonly hiddenSize: number;
  readonly totalWeights: number;
  readonly activeWeights: number;
  /** Multiplications and additions of one token: on its lead, and in one expert. */
  readonly denseFlops: number;
  readonly expertFlops: number;
  /** What of `denseFlops` only a token takes after which another is generated. */
  readonly headFlops: number;
  /** Of one query with one cached token, over all layers. */
  readonly attentionFlops: number;
}

/**
 * Sizes as the engine lays weights out, to the byte but for the alignment of tensors to 64 bytes, where the widths of heads are whole blocks. The embedding is a table to look rows up
 * in; a head tied to it is held beside it, in the form that matrices have.
 */
export function modelSize(model: ModelDescription, dtype: PlannedDtype, kvDtype = defaultKvDtype(dtype)): ModelSize {
  const { hiddenSize, vocabSize, layerCount } = model;
  const attention = attentionSize(model);
  const parts = feedForwardParts(model);
  const bytesOf = MATRIX_BYTES[dtype];
  const matrices: Shape[] = [...times(layerCount, attention.matrices), ...parts.matrices, [vocabSize, hiddenSize]];
  const vectorValues = (2 * layerCount + 1) * hiddenSize + layerCount * attention.normValues + parts.routedLayerCount * parts.biasValues;
  const routers = times(parts.routedLayerCount, parts.router);
  const readDenseBytes = sum(matrices.map((shape) => bytesOf(...shape))) + sum(routers.map((shape) => MATRIX_BYTES.float32(...shape))) + FLOAT32_BYTES * vectorValues;
  const embeddingValues = vocabSize * hiddenSize;
  const denseWeights = weightsOf([...matrices, ...routers]) + vectorValues + (model.tiedEmbedding ? 0 : embeddingValues);
  const expertWeights = weightsOf(parts.expert);
  return {
    layerCount, routedLayerCount: parts.routedLayerCount, expertCount: parts.expertCount, expertsPerToken: parts.expertsPerToken, hiddenSize,
    expertBytes: sum(parts.expert.map((shape) => bytesOf(...shape))),
    denseBytes: readDenseBytes + layerCount * sum(attention.turned.map((shape) => bytesOf(...shape))) + EMBEDDING_BYTES * embeddingValues,
    readDenseBytes,
    kvBytesPerToken: KV_VALUE_BYTES[kvDtype] * layerCount * attention.cachedValues,
    activationBytesPerToken: FLOAT32_BYTES * (4 * hiddenSize + attention.workingValues + parts.widestValues),
    logitBytes: FLOAT32_BYTES * vocabSize,
    totalWeights: denseWeights + parts.routedLayerCount * parts.expertCount * expertWeights,
    activeWeights: denseWeights + parts.routedLayerCount * parts.expertsPerToken * expertWeights,
    denseFlops: 2 * weightsOf(matrices), expertFlops: 2 * expertWeights, headFlops: 2 * embeddingValues, attentionFlops: layerCount * attention.flopsPerPair,
  };
}

interface FeedForwardParts {
  readonly routedLayerCount: number;
  readonly expertCount: number;
  readonly expertsPerToken: number;
  /** Of one expert. */
  readonly expert: readonly Shape[];
  /** Of dense layers and shared experts, all layers. */
  readonly matrices: readonly Shape[];
  /** Of one routed layer, and its correction bias. */
  readonly router: readonly Shape[];
  readonly biasValues: number;
  /** Inner values of one token in the widest layer. */
  readonly widestValues: number;
}

function feedForwardParts({ feedForward, hiddenSize, layerCount }: ModelDescription): FeedForwardParts {
  const network = (size: number): Shape[] => (size === 0 ? [] : [[size, hiddenSize], [size, hiddenSize], [hiddenSize, size]]);
  if (feedForward.kind === 'dense') {
    const matrices = times(layerCount, network(feedForward.size));
    return { routedLayerCount: 0, expertCount: 0, expertsPerToken: 0, expert: [], matrices, router: [], biasValues: 0, widestValues: 3 * feedForward.size };
  }
  const { size, expertCount, expertsPerToken, router, sharedSize, denseLayerCount, denseSize } = feedForward;
  const routedLayerCount = layerCount - denseLayerCount;
  return {
    routedLayerCount, expertCount, expertsPerToken, expert: network(size),
    matrices: [...times(denseLayerCount, network(denseSize)), ...times(routedLayerCount, network(sharedSize))],
    router: [[expertCount, hiddenSize]], biasValues: router.correctionBias ? expertCount : 0,
    widestValues: Math.max(3 * denseSize, expertsPerToken * (3 * size + hiddenSize) + 3 * sharedSize),
  };
}

const times = (count: number, shapes: readonly Shape[]): Shape[] => Array.from({ length: count }, () => shapes).flat();
const weightsOf = (shapes: readonly Shape[]): number => sum(shapes.map(([rows, columns]) => rows * columns));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
