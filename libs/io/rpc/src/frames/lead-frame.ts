import { FieldReader } from './field-reader.ts';
import { FieldWriter } from './field-writer.ts';
import { UINT32_BYTES } from './wire-format.ts';

/** What a lead says to a worker: `ExecuteRequest`. Of a frame that this version does not know, only that it came. */
export type LeadFrame = ExpertCallFrame | { readonly kind: 'cancel'; readonly callId: number } | { readonly kind: 'unknown' };

/** `ExpertCall` in worker.proto, as it is on the wire: nothing in it is checked. */
export interface ExpertCallFrame {
  readonly kind: 'call';
  readonly callId: number;
  readonly step: number;
  readonly layer: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly dtype: number;
  readonly rows: number;
  readonly width: number;
  readonly activations: Uint8Array;
  readonly rowOffsets: Uint32Array;
  readonly experts: Uint32Array;
  readonly gates: Float32Array;
  readonly reduce: boolean;
}

// Numbers of fields in worker.proto. Its spec holds them to the generated code.
const REQUEST = { call: 1, cancel: 2 } as const;
const CANCEL = { callId: 1 } as const;
const CALL = { callId: 1, step: 2, layer: 3, attempt: 4, epoch: 5, dtype: 6, rows: 7, width: 8, activations: 9, rowOffsets: 10, experts: 11, gates: 12, reduce: 13 } as const;

/** More than all fields but the repeated ones and the activations take. */
const FIXED_BYTES = 160;

export function encodeLeadFrame(frame: LeadFrame): Buffer {
  switch (frame.kind) {
    case 'call': return encodeCall(frame);
    case 'cancel': return encodeCancel(frame.callId);
    case 'unknown': return Buffer.alloc(0);
  }
}

/** The activations come last, so that all of them are copied once, to where they are sent from. */
function encodeCall(call: ExpertCallFrame): Buffer {
  const writer = new FieldWriter(FIXED_BYTES + UINT32_BYTES * (call.rowOffsets.length + call.experts.length) + call.gates.byteLength + call.activations.byteLength);
  const start = writer.open(REQUEST.call);
  writer.uint(CALL.callId, call.callId);
  writer.uint(CALL.step, call.step);
  writer.uint(CALL.layer, call.layer);
  writer.uint(CALL.attempt, call.attempt);
  writer.uint(CALL.epoch, call.epoch);
  writer.uint(CALL.dtype, call.dtype);
  writer.uint(CALL.rows, call.rows);
  writer.uint(CALL.width, call.width);
  writer.packedUints(CALL.rowOffsets, call.rowOffsets);
  writer.packedUints(CALL.experts, call.experts);
  writer.packedFloats(CALL.gates, call.gates);
  writer.uint(CALL.reduce, Number(call.reduce));
  writer.alignedBytes(CALL.activations, call.activations);
  writer.close(start);
  return writer.finish();
}

function encodeCancel(callId: number): Buffer {
  const writer = new FieldWriter(FIXED_BYTES);
  const start = writer.open(REQUEST.cancel);
  writer.uint(CANCEL.callId, callId);
  writer.close(start);
  return writer.finish();
}

/** Fails with `invalid_argument` on bytes that are no `ExecuteRequest`. */
export function decodeLeadFrame(bytes: Uint8Array): LeadFrame {
  const reader = new FieldReader(bytes);
  let frame: LeadFrame = { kind: 'unknown' };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === REQUEST.call) frame = decodeCall(reader.message());
    else if (field === REQUEST.cancel) frame = decodeCancel(reader.message());
    else reader.skip();
  }
  return frame;
}

function decodeCall(reader: FieldReader): ExpertCallFrame {
  const call = {
    kind: 'call' as const, callId: 0, step: 0, layer: 0, attempt: 0, epoch: 0, dtype: 0, rows: 0, width: 0,
    activations: NO_BYTES, rowOffsets: NO_UINTS, experts: NO_UINTS, gates: NO_FLOATS, reduce: false,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case CALL.callId: call.callId = reader.uint(); break;
      case CALL.step: call.step = reader.uint(); break;
      case CALL.layer: call.layer = reader.uint(); break;
      case CALL.attempt: call.attempt = reader.uint(); break;
      case CALL.epoch: call.epoch = reader.uint(); break;
      case CALL.dtype: call.dtype = reader.uint(); break;
      case CALL.rows: call.rows = reader.uint(); break;
      case CALL.width: call.width = reader.uint(); break;
      case CALL.activations: call.activations = reader.bytes(); break;
      case CALL.rowOffsets: call.rowOffsets = reader.uints(call.rowOffsets); break;
      case CALL.experts: call.experts = reader.uints(call.experts); break;
      case CALL.gates: call.gates = reader.floats(call.gates); break;
      case CALL.reduce: call.reduce = reader.uint() !== 0; break;
      default: reader.skip();
    }
  }
  return call;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_UINTS: Uint32Array = new Uint32Array(0);
const NO_FLOATS: Float32Array = new Float32Array(0);

function decodeCancel(reader: FieldReader): LeadFrame {
  let callId = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === CANCEL.callId) callId = reader.uint();
    else reader.skip();
  }
  return { kind: 'cancel', callId };
}
