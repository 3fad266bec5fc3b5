import { FieldReader } from './field-reader.ts';
import { FieldWriter } from './field-writer.ts';

/** What a worker answers to one expert call: `ExecuteResponse` in worker.proto, as it is on the wire. */
export interface WorkerFrame {
  readonly callId: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly outcome: Outcome;
}

export type Outcome = ResultFrame | FailureFrame | { readonly kind: 'unknown' };

/** `ExpertResult`. */
export interface ResultFrame {
  readonly kind: 'result';
  readonly dtype: number;
  readonly activations: Uint8Array;
}

/** `ExpertFailure`. */
export interface FailureFrame {
  readonly kind: 'failure';
  /** A gRPC status. */
  readonly code: number;
  readonly reason: string;
}

// Numbers of fields in worker.proto. Its spec holds them to the generated code.
const RESPONSE = { callId: 1, attempt: 2, epoch: 3, result: 4, failure: 5 } as const;
const RESULT = { dtype: 1, activations: 2 } as const;
const FAILURE = { code: 1, reason: 2 } as const;

/** More than all fields but the reason and the activations take. */
const FIXED_BYTES = 80;

export function encodeWorkerFrame({ callId, attempt, epoch, outcome }: WorkerFrame): Buffer {
  const writer = new FieldWriter(FIXED_BYTES + bytesOf(outcome));
  writer.uint(RESPONSE.callId, callId);
  writer.uint(RESPONSE.attempt, attempt);
  writer.uint(RESPONSE.epoch, epoch);
  if (outcome.kind === 'result') writeResult(writer, outcome);
  if (outcome.kind === 'failure') writeFailure(writer, outcome);
  return writer.finish();
}

function bytesOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'result': return outcome.activations.byteLength;
    case 'failure': return Buffer.byteLength(outcome.reason);
    case 'unknown': return 0;
  }
}

function writeResult(writer: FieldWriter, { dtype, activations }: ResultFrame): void {
  const start = writer.open(RESPONSE.result);
  writer.uint(RESULT.dtype, dtype);
  writer.alignedBytes(RESULT.activations, activations);
  writer.close(start);
}

function writeFailure(writer: FieldWriter, { code, reason }: FailureFrame): void {
  const start = writer.open(RESPONSE.failure);
  writer.uint(FAILURE.code, code);
  writer.string(FAILURE.reason, reason);
  writer.close(start);
}

/** Fails with `invalid_argument` on bytes that are no `ExecuteResponse`. */
export function decodeWorkerFrame(bytes: Uint8Array): WorkerFrame {
  const reader = new FieldReader(bytes);
  const frame = { callId: 0, attempt: 0, epoch: 0, outcome: { kind: 'unknown' } as Outcome };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case RESPONSE.callId: frame.callId = reader.uint(); break;
      case RESPONSE.attempt: frame.attempt = reader.uint(); break;
      case RESPONSE.epoch: frame.epoch = reader.uint(); break;
      case RESPONSE.result: frame.outcome = readResult(reader.message()); break;
      case RESPONSE.failure: frame.outcome = readFailure(reader.message()); break;
      default: reader.skip();
    }
  }
  return frame;
}

function readResult(reader: FieldReader): ResultFrame {
  const result = { kind: 'result' as const, dtype: 0, activations: new Uint8Array(0) as Uint8Array };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === RESULT.dtype) result.dtype = reader.uint();
    else if (field === RESULT.activations) result.activations = reader.bytes();
    else reader.skip();
  }
  return result;
}

function readFailure(reader: FieldReader): FailureFrame {
  const failure = { kind: 'failure' as const, code: 0, reason: '' };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === FAILURE.code) failure.code = reader.uint();
    else if (field === FAILURE.reason) failure.reason = reader.string();
    else reader.skip();
  }
  return failure;
}
