import { AppError } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { type ExpertBatch } from '@essaim/dispatch';
import { ACTIVATION_DTYPES, type ActivationDtype, decodeActivations, encodeActivations } from '../activations/form.ts';
import { type ExpertCallFrame } from '../frames/lead-frame.ts';
import { type ResultFrame } from '../frames/worker-frame.ts';

const { F32, F16, BF16, INT8 } = workerV1.ActivationDtype;
const WIRE: Readonly<Record<ActivationDtype, workerV1.ActivationDtype>> = { f32: F32, f16: F16, bf16: BF16, int8: INT8 };

export function toCallFrame(callId: number, batch: ExpertBatch, dtype: ActivationDtype): ExpertCallFrame {
  const { step, layer, attempt, epoch, hiddenSize, rowOffsets, experts, gates, reduce } = batch;
  const activations = toWireActivations(batch.activations, hiddenSize, dtype);
  return { kind: 'call', callId, step, layer, attempt, epoch, rows: rowOffsets.length - 1, width: hiddenSize, rowOffsets, experts, gates, reduce, ...activations };
}

/** Checks every shape: what comes in here is indexed without checks later. */
export function fromCallFrame(frame: ExpertCallFrame): ExpertBatch {
  const { step, layer, attempt, epoch, width, rowOffsets, experts, gates, reduce } = frame;
  const batch: ExpertBatch = { step, layer, attempt, epoch, hiddenSize: width, activations: fromWireActivations(frame, width), rowOffsets, experts, gates, reduce };
  if (!isWellShaped(batch, frame.rows)) throw new AppError('invalid_argument', 'the shapes of an expert call do not agree');
  return batch;
}

function isWellShaped({ activations, hiddenSize, rowOffsets, experts, gates }: ExpertBatch, rows: number): boolean {
  const ascends = rowOffsets.every((offset, row) => row === 0 ? offset === 0 : offset >= rowOffsets[row - 1]!);
  return ascends && rowOffsets.length === rows + 1 && activations.length === rows * hiddenSize
    && rowOffsets[rows] === experts.length && gates.length === experts.length;
}

/** The reply travels as its call did: [rows, width], or [pairs, width] without reduce. */
export const toResultFrame = (result: Float32Array, { dtype, width }: Pick<ExpertCallFrame, 'dtype' | 'width'>): ResultFrame =>
  ({ kind: 'result', ...toWireActivations(result, width, readableDtype(dtype)) });

/** A reply to `batch`, in whatever form it came. */
export function fromResultFrame(result: ResultFrame, batch: Pick<ExpertBatch, 'reduce' | 'rowOffsets' | 'experts' | 'hiddenSize'>): Float32Array {
  const floats = fromWireActivations(result, batch.hiddenSize);
  const length = (batch.reduce ? batch.rowOffsets.length - 1 : batch.experts.length) * batch.hiddenSize;
  if (floats.length !== length) throw new AppError('internal', `an expert reply has ${floats.length} values where ${length} were asked for`);
  return floats;
}

type WireActivations = Pick<ResultFrame, 'dtype' | 'activations'>;

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
