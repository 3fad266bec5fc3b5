import { AppError, type ModelSpec } from '@essaim/core';
import { attentionOf, compilePiece, type CompiledModel, type PieceKey, weightBytesOf } from '@essaim/graph';
import { kvBytesPerToken, kvLayoutOf } from '@essaim/kv';
import { formatBytes } from '@essaim/placement';
import { type Device, deviceName } from './device.ts';

/** What a worker may use of its device. */
export interface DeviceRoom {
  /** For all that is there. */
  readonly memoryBytes: number;
  /** Of these for keys and values of sequences that it leads. */
  readonly kvBytes: number;
  /** Of the largest tensor; null without such a bound. */
  readonly tensorBytes: number | null;
  /** The most rows of a step. */
  readonly stepRows: number;
  /** The most sequences of a step. */
  readonly sequences: number;
}

const FLOAT_BYTES = 4;
/** ONNX Runtime's buffers have sizes from a list, each up to twice the one before: what grows a token at a time fills between half and all of its buffer. */
const KV_BUFFERS = 2;
/** Scores as products, with their mask, and as shares of one. */
const SCORE_TENSORS = 3;
/** What is wide in a network: both halves joined, each by itself, and what becomes of them. */
const NETWORK_TENSORS = 6;
/** The residual stream and what is added to it, normed and not. */
const HIDDEN_TENSORS = 6;

/** Refuses with `resource_exhausted` what the device can't hold, before anything of it is loaded. */
export function assertRoom(device: Device, { model, pieces, room }: { readonly model: CompiledModel; readonly pieces: readonly PieceKey[]; readonly room: DeviceRoom }): void {
  const leads = pieces.some(({ kind }) => kind === 'head');
  const weightBytes = bytesOfWeights(model, pieces);
  const kvBytes = leads ? KV_BUFFERS * room.kvBytes : 0;
  const stepBytes = bytesOfStep(model.spec, room, leads);
  const needed = weightBytes + kvBytes + stepBytes;
  if (needed <= room.memoryBytes) return;
  const parts = [`${formatBytes(weightBytes)} of weights`, ...(leads ? [`${formatBytes(kvBytes)} for buffers of keys and values`] : []), `${formatBytes(stepBytes)} for a step`];
  const remedies = [...(leads ? ['a smaller --kv-memory'] : []), ...(model.dtype === 'int4' ? [] : ['a smaller --dtype such as int4']), 'more workers, so that each holds fewer experts'];
  throw new AppError('resource_exhausted', `the device ${deviceName(device)} needs ${formatBytes(needed)} (${parts.join(', ')}) and has ${formatBytes(room.memoryBytes)} for them: choose ${remedies.join(', or ')}`);
}

/** The most tokens that one sequence may keep: what it keeps of a layer is a tensor, and so are the scores of a step's rows with all of it. */
export function mostTokens(spec: ModelSpec, { tensorBytes, stepRows }: Pick<DeviceRoom, 'tensorBytes' | 'stepRows'>): number {
  if (tensorBytes === null) return Number.MAX_SAFE_INTEGER;
  const widest = Math.max(...attentionOf(spec).kept.map(({ dims }) => dims.reduce((product, size) => product * (size || 1), 1)), spec.attention.headCount * stepRows);
  return Math.floor(tensorBytes / (widest * FLOAT_BYTES));
}

/** The embedding stays with the host. All experts of a model are of one size. */
function bytesOfWeights(model: CompiledModel, pieces: readonly PieceKey[]): number {
  const experts = pieces.filter(({ kind }) => kind === 'expert');
  const others = pieces.filter(({ kind }) => kind !== 'expert' && kind !== 'embed');
  const bytesOf = (piece: PieceKey): number => weightBytesOf(compilePiece(model, piece));
  return others.reduce((sum, piece) => sum + bytesOf(piece), experts.length === 0 ? 0 : experts.length * bytesOf(experts[0]!));
}

/** What the widest layer of a step makes on its way, more rather than less; where it leads also scores and logits. */
function bytesOfStep(spec: ModelSpec, room: DeviceRoom, leads: boolean): number {
  const { hiddenSize, vocabSize, contextLength, feedForward, attention: { headCount } } = spec;
  const networkSize = feedForward.kind === 'dense' ? feedForward.size : Math.max(feedForward.size, feedForward.denseSize, feedForward.sharedSize);
  const rowValues = HIDDEN_TENSORS * hiddenSize + NETWORK_TENSORS * networkSize;
  const longest = Math.min(contextLength, mostTokens(spec, room), Math.floor(room.kvBytes / kvBytesPerToken(kvLayoutOf(spec, 'f32'))));
  const scores = longest * headCount * SCORE_TENSORS;
  return FLOAT_BYTES * (room.stepRows * (rowValues + (leads ? scores : 0)) + (leads ? room.sequences * vocabSize : 0));
}
