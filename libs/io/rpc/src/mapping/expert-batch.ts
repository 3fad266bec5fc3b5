import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { type ExpertBatch } from '@essaim/dispatch';
import { required, toNumber } from './fields.ts';
import { toBytes, toFloats } from './float-bytes.ts';

const { F32 } = workerV1.ActivationDtype;

export const toWireCall = (callId: bigint, batch: ExpertBatch): MessageInitShape<typeof workerV1.ExpertCallSchema> => ({
  callId,
  step: BigInt(batch.step),
  layer: batch.layer,
  attempt: batch.attempt,
  epoch: BigInt(batch.epoch),
  dtype: F32,
  rows: batch.rowOffsets.length - 1,
  width: batch.hiddenSize,
  activations: toBytes(batch.activations) as Uint8Array<ArrayBuffer>,
  rowOffsets: Array.from(batch.rowOffsets),
  experts: Array.from(batch.experts),
  gates: Array.from(batch.gates),
  reduce: batch.reduce,
});

/** Checks every shape: what comes in here is indexed without checks later. */
export function fromWireCall(call: workerV1.ExpertCall): ExpertBatch {
  const batch: ExpertBatch = {
    step: toNumber(call.step, 'step'),
    layer: call.layer,
    attempt: call.attempt,
    epoch: toNumber(call.epoch, 'epoch'),
    hiddenSize: call.width,
    activations: fromWireActivations(call, 'activations'),
    rowOffsets: Uint32Array.from(call.rowOffsets),
    experts: Uint32Array.from(call.experts),
    gates: Float32Array.from(call.gates),
    reduce: call.reduce,
  };
  if (!isWellShaped(batch, call.rows)) throw new AppError('invalid_argument', 'the shapes of an expert call do not agree');
  return batch;
}

function isWellShaped({ activations, hiddenSize, rowOffsets, experts, gates }: ExpertBatch, rows: number): boolean {
  const ascends = rowOffsets.every((offset, row) => row === 0 ? offset === 0 : offset >= rowOffsets[row - 1]!);
  return ascends && rowOffsets.length === rows + 1 && activations.length === rows * hiddenSize
    && rowOffsets[rows] === experts.length && gates.length === experts.length;
}

export const toWireResult = (result: Float32Array): MessageInitShape<typeof workerV1.ExpertResultSchema> => ({
  dtype: F32,
  activations: toBytes(result) as Uint8Array<ArrayBuffer>,
});

/** `length` is what the batch asked for. */
export function fromWireResult(result: workerV1.ExpertResult | undefined, length: number): Float32Array {
  const floats = fromWireActivations(required(result, 'result'), 'result');
  if (floats.length !== length) throw new AppError('internal', `an expert reply has ${floats.length} values where ${length} were asked for`);
  return floats;
}

/** Values in the reply to a batch. */
export const replyLength = ({ reduce, rowOffsets, experts, hiddenSize }: ExpertBatch): number => (reduce ? rowOffsets.length - 1 : experts.length) * hiddenSize;

function fromWireActivations({ dtype, activations }: { readonly dtype: number; readonly activations: Uint8Array }, field: string): Float32Array {
  if (dtype !== F32) throw new AppError('unimplemented', `${field} of dtype ${dtype} can't be read: only F32 is`);
  return toFloats(activations, field);
}
