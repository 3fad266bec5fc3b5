import { cardKvSlackBytes, type MemoryNeeds, type ModelSpec } from '@essaim/core';
import { attentionOf, compilePiece, type CompiledModel, expertPieces, leadPieces, type PieceKey, weightBytesOf } from '@essaim/graph';
import { kvBytesPerToken, kvLayoutOf } from '@essaim/kv';

/** What bounds a worker's use of its device. */
export interface DeviceRoom {
  /** For keys and values of sequences that it leads. */
  readonly kvBytes: number;
  /** Of the largest tensor; null without such a bound. */
  readonly tensorBytes: number | null;
  /** The most rows of a step. */
  readonly stepRows: number;
  /** The most sequences of a step. */
  readonly sequences: number;
}

const FLOAT_BYTES = 4;
/** Scores as products, with their mask, and as shares of one. */
const SCORE_TENSORS = 3;
/** What is wide in a network: both halves joined, each by itself, and what becomes of them. */
const NETWORK_TENSORS = 6;
/** The residual stream and what is added to it, normed and not. */
const HIDDEN_TENSORS = 6;

/** What a worker that leads holds on its device, beside so many experts as there is room for. Nothing of the weights is read. */
export function deviceNeeds(model: CompiledModel, room: DeviceRoom): MemoryNeeds {
  const bytesOf = (piece: PieceKey): number => weightBytesOf(compilePiece(model, piece));
  // The embedding stays with the host. All experts of a model are of one size.
  const dense = leadPieces(model.spec).filter(({ kind }) => kind !== 'embed');
  const [expert] = expertPieces(model.spec);
  return {
    denseBytes: dense.reduce((sum, piece) => sum + bytesOf(piece), 0), kvBytes: room.kvBytes, kvSlackBytes: cardKvSlackBytes(room.kvBytes),
    stepBytes: bytesOfStep(model.spec, room), expertBytes: expert === undefined ? 0 : bytesOf(expert),
  };
}

/** The most tokens that one sequence may keep: what it keeps of a layer is a tensor, and so are the scores of a step's rows with all of it. */
export function mostTokens(spec: ModelSpec, { tensorBytes, stepRows }: Pick<DeviceRoom, 'tensorBytes' | 'stepRows'>): number {
  if (tensorBytes === null) return Number.MAX_SAFE_INTEGER;
  const widest = Math.max(...attentionOf(spec).kept.map(({ dims }) => dims.reduce((product, size) => product * (size || 1), 1)), spec.attention.headCount * stepRows);
  return Math.floor(tensorBytes / (widest * FLOAT_BYTES));
}

/** What the widest layer of a step makes on its way, with scores and logits, more rather than less. */
function bytesOfStep(spec: ModelSpec, room: DeviceRoom): number {
  const { hiddenSize, vocabSize, contextLength, feedForward, attention: { headCount } } = spec;
  const networkSize = feedForward.kind === 'dense' ? feedForward.size : Math.max(feedForward.size, feedForward.denseSize, feedForward.sharedSize);
  const rowValues = HIDDEN_TENSORS * hiddenSize + NETWORK_TENSORS * networkSize;
  const longest = Math.min(contextLength, mostTokens(spec, room), Math.floor(room.kvBytes / kvBytesPerToken(kvLayoutOf(spec, 'f32'))));
  const scores = longest * headCount * SCORE_TENSORS;
  return FLOAT_BYTES * (room.stepRows * (rowValues + scores) + room.sequences * vocabSize);
}
