import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { type ExpertBatch } from '@essaim/dispatch';
import { ACTIVATION_DTYPES, type ActivationDtype, decodeActivations, encodeActivations } from '../activations/form.ts';
import { required, toNumber } from './fields.ts';

const { F32, F16, BF16, INT8 } = workerV1.ActivationDtype;
const WIRE: Readonly<Record<ActivationDtype, workerV1.ActivationDtype>> = { f32: F32, f16: F16, bf16: BF16, int8: INT8 };

export function toWireCall(callId: bigint, batch: ExpertBatch, dtype: ActivationDtype): MessageInitShape<typeof workerV1.ExpertCallSchema> {
  return {
    callId,
    step: BigInt(batch.step),
    layer: batch.layer,
    attempt: batch.attempt,
    epoch: BigInt(batch.epoch),
    ...toWireActivations(batch.activations, batch.hiddenSize, dtype),
    rows: batch.rowOffsets.length - 1,
    width: batch.hiddenSize,
    rowOffsets: Array.from(batch.rowOffsets),
    experts: Array.from(batch.experts),
    gates: Array.from(batch.gates),
    reduce: batch.reduce,
  };
}

/** Checks every shape: what comes in here is indexed without checks later. */
export function fromWireCall(call: workerV1.ExpertCall): ExpertBatch {
  const batch: ExpertBatch = {
    step: toNumber(call.step, 'step'),
    layer: call.layer,
    attempt: call.attempt,
    epoch: toNumber(call.epoch, 'epoch'),
    hiddenSize: call.width,
    activations: fromWireActivations(call, call.width),
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

/** The reply travels as its call did: [rows, width], or [pairs, width] without reduce. */
export const toWireResult = (result: Float32Array, { dtype, width }: Pick<workerV1.ExpertCall, 'dtype' | 'width'>): MessageInitShape<typeof workerV1.ExpertResultSchema> =>
  toWireActivations(result, width, readableDtype(dtype));

/** A reply to `batch`, in whatever form it came. */
export function fromWireResult(result: workerV1.ExpertResult | undefined, batch: Pick<ExpertBatch, 'reduce' | 'rowOffsets' | 'experts' | 'hiddenSize'>): Float32Array {
  const floats = fromWireActivations(required(result, 'result'), batch.hiddenSize);
  const length = (batch.reduce ? batch.rowOffsets.length - 1 : batch.experts.length) * batch.hiddenSize;
  if (floats.length !== length) throw new AppError('internal', `an expert reply has ${floats.length} values where ${length} were asked for`);
  return floats;
}

type WireActivations = Pick<workerV1.ExpertResult, 'dtype' | 'activations'>;

function toWireActivations(values: Float32Array, width: number, asked: ActivationDtype): WireActivations {
  const { dtype, bytes } = encodeActivations(values, width, asked);
  return { dtype: WIRE[dtype], activations: bytes };
}

const fromWireActivations = ({ dtype, activations }: WireActivations, width: number): Float32Array =>
  decodeActivations({ dtype: readableDtype(dtype), bytes: activations }, width);

/** The lead asks again in f32 where a dtype can't be read. */
function readableDtype(value: number): ActivationDtype {
  const dtype = ACTIVATION_DTYPES.find((name) => WIRE[name] === value);
  if (dtype === undefined) throw new AppError('unimplemented', `activations of dtype ${value} can't be read here, only ${ACTIVATION_DTYPES.join(', ')}`);
  return dtype;
}
