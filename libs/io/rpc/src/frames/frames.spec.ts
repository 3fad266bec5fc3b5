import { join } from 'node:path';
import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { decodeLeadFrame, encodeLeadFrame, type LeadFrame } from './lead-frame.ts';
import { decodeWorkerFrame, encodeWorkerFrame, type Outcome, type WorkerFrame } from './worker-frame.ts';

const { ExecuteRequestSchema, ExecuteResponseSchema } = workerV1;

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint53 = fc.maxSafeNat();
const dtype = fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<workerV1.ActivationDtype>;
const uints = fc.uint32Array({ maxLength: 40 });
// Up to lengths that take one, two and three bytes to say.
const activations: fc.Arbitrary<Uint8Array> = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(127, 128, 16_383, 16_384, 70_000).map((length) => new Uint8Array(length).fill(7)));

const leadFrame: fc.Arbitrary<LeadFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('call' as const), callId: uint53, step: uint53, layer: uint32, attempt: uint32, epoch: uint53, dtype, rows: uint32, width: uint32, activations,
    rowOffsets: uints, experts: uints, gates: fc.float32Array({ maxLength: 40 }), reduce: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cancel' as const), callId: uint53 }),
  fc.constant({ kind: 'unknown' as const }),
);

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('result' as const), dtype, activations }),
  fc.record({ kind: fc.constant('failure' as const), code: uint32, reason: fc.string({ unit: 'grapheme' }) }),
  fc.constant({ kind: 'unknown' as const }),
);
const workerFrame: fc.Arbitrary<WorkerFrame> = fc.record({ callId: uint53, attempt: uint32, epoch: uint53, outcome });

/** The same as protobuf-es would have it. */
function toRequest(frame: LeadFrame): workerV1.ExecuteRequest {
  if (frame.kind === 'unknown') return create(ExecuteRequestSchema);
  if (frame.kind === 'cancel') return create(ExecuteRequestSchema, { frame: { case: 'cancel', value: { callId: BigInt(frame.callId) } } });
  const { kind, callId, step, epoch, rowOffsets, experts, gates, ...call } = frame;
  const lists = { rowOffsets: [...rowOffsets], experts: [...experts], gates: [...gates] };
  return create(ExecuteRequestSchema, { frame: { case: kind, value: { ...call, ...lists, callId: BigInt(callId), step: BigInt(step), epoch: BigInt(epoch) } as workerV1.ExpertCall } });
}

function toResponse({ callId, attempt, epoch, outcome }: WorkerFrame): workerV1.ExecuteResponse {
  const { kind, ...value } = outcome;
  return create(ExecuteResponseSchema, { callId: BigInt(callId), attempt, epoch: BigInt(epoch), ...(kind !== 'unknown' && { outcome: { case: kind, value } as workerV1.ExecuteResponse['outcome'] }) });
}

/** Activations that are read are views of a Buffer. */
const plain = <T extends { readonly activations: Uint8Array }>(part: T): T => ({ ...part, activations: Uint8Array.from(part.activations) });
const plainRequest = (frame: LeadFrame): LeadFrame => (frame.kind === 'call' ? plain(frame) : frame);
const plainResponse = (frame: WorkerFrame): WorkerFrame => (frame.outcome.kind === 'result' ? { ...frame, outcome: plain(frame.outcome) } : frame);

interface Codec<T, D extends DescMessage> {
  readonly desc: D;
  readonly encode: (frame: T) => Buffer;
  readonly decode: (bytes: Buffer) => T;
  readonly toMessage: (frame: T) => MessageShape<D>;
  readonly plain: (frame: T) => T;
}
const REQUEST: Codec<LeadFrame, typeof ExecuteRequestSchema> = { desc: ExecuteRequestSchema, encode: encodeLeadFrame, decode: decodeLeadFrame, toMessage: toRequest, plain: plainRequest };
const RESPONSE: Codec<WorkerFrame, typeof ExecuteResponseSchema> = { desc: ExecuteResponseSchema, encode: encodeWorkerFrame, decode: decodeWorkerFrame, toMessage: toResponse, plain: plainResponse };

function isReadByProtobufEs<T, D extends DescMessage>(frame: fc.Arbitrary<T>, { desc, encode, toMessage }: Codec<T, D>): void {
  fc.assert(fc.property(frame, (sent) => {
    expect(Buffer.compare(toBinary(desc, fromBinary(desc, encode(sent))), toBinary(desc, toMessage(sent)))).toBe(0);
  }));
}

function readsProtobufEs<T, D extends DescMessage>(frame: fc.Arbitrary<T>, { desc, decode, toMessage, plain }: Codec<T, D>): void {
  fc.assert(fc.property(frame, (sent) => {
    expect(plain(decode(Buffer.from(toBinary(desc, toMessage(sent)))))).toEqual(sent);
  }));
}

describe('frames of a lead', () => {
  it('are read by protobuf-es', () => isReadByProtobufEs(leadFrame, REQUEST));
  it('are read from protobuf-es', () => readsProtobufEs(leadFrame, REQUEST));
});

describe('frames of a worker', () => {
  it('are read by protobuf-es', () => isReadByProtobufEs(workerFrame, RESPONSE));
  it('are read from protobuf-es', () => readsProtobufEs(workerFrame, RESPONSE));
});

const CALL: LeadFrame & { kind: 'call' } = {
  kind: 'call', callId: 7, step: 2, layer: 3, attempt: 1, epoch: 5, dtype: 1, rows: 1, width: 9, activations: Uint8Array.of(1, 2, 3), rowOffsets: Uint32Array.of(0, 300),
  experts: Uint32Array.of(4, 70_000), gates: Float32Array.of(0.5, 0.25), reduce: true,
};

describe('protobuf.js, which shares no code with what is ours, reads', () => {
  const proto = join(import.meta.dirname, '../../../../../proto');
  const service = loadSync('essaim/worker/v1/worker.proto', { includeDirs: [proto], enums: Number, keepCase: false, oneofs: true, defaults: true })['essaim.worker.v1.WorkerService'] as ServiceDefinition;
  const { Execute } = service;

  it('calls, whatever padding aligns their activations', () => {
    for (let length = 0; length < 8; length++) {
      const activations = new Uint8Array(length).fill(length);
      const read = Execute!.requestDeserialize(encodeLeadFrame({ ...CALL, activations, experts: new Uint32Array(length).fill(length) }));
      expect(read).toMatchObject({ frame: 'call', call: { layer: 3, width: 9, activations: Buffer.from(activations), rowOffsets: [0, 300], experts: Array.from({ length }, () => length), gates: [0.5, 0.25], reduce: true } });
    }
  });

  it('results', () => {
    for (let length = 0; length < 8; length++) {
      const activations = new Uint8Array(length).fill(length);
      const read = Execute!.responseDeserialize(encodeWorkerFrame({ callId: 1, attempt: 2 ** length, epoch: 0, outcome: { kind: 'result', dtype: 1, activations } }));
      expect(read).toMatchObject({ attempt: 2 ** length, outcome: 'result', result: { dtype: 1, activations: Buffer.from(activations) } });
    }
  });
});

it('the receiver finds activations at a multiple of four bytes behind the framing of grpc-js', () => {
  const behindFraming = (bytes: Buffer): Buffer => Buffer.concat([Buffer.alloc(5), bytes], 5 + bytes.length).subarray(5);
  fc.assert(fc.property(leadFrame, workerFrame, (call, result) => {
    const frame = decodeLeadFrame(behindFraming(encodeLeadFrame(call)));
    const { outcome } = decodeWorkerFrame(behindFraming(encodeWorkerFrame(result)));
    if (frame.kind === 'call') expect(frame.activations.byteOffset % 4).toBe(0);
    if (outcome.kind === 'result') expect(outcome.activations.byteOffset % 4).toBe(0);
  }));
});

describe('a reader', () => {
  const call = (init: MessageInitShape<typeof workerV1.ExpertCallSchema>): Buffer => Buffer.from(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { frame: { case: 'call', value: init } })));

  it('skips fields of every kind that a later version may add', () => {
    // Fields 20 to 23 of ExpertCall: a varint, 64 bits, two bytes, 32 bits.
    const added = Buffer.from([0xa0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0xa9, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xb2, 1, 2, 9, 9, 0xbd, 1, 1, 2, 3, 4]);
    const known = Buffer.from(toBinary(workerV1.ExpertCallSchema, create(workerV1.ExpertCallSchema, { callId: 7n, layer: 3 })));
    const message = Buffer.concat([added, known]);
    expect(decodeLeadFrame(Buffer.concat([Buffer.from([0x0a, message.length]), message]))).toMatchObject({ kind: 'call', callId: 7, layer: 3 });
  });

  it('takes repeated numbers in pieces and unpacked, as protobuf lets senders write them', () => {
    // rowOffsets 0 and 1, 2 packed; gates 0.5 unpacked, then 0.25 packed.
    const message = Buffer.from([0x50, 0, 0x52, 2, 1, 2, 0x65, 0, 0, 0, 0x3f, 0x62, 4, 0, 0, 0x80, 0x3e]);
    expect(decodeLeadFrame(Buffer.concat([Buffer.from([0x0a, message.length]), message]))).toMatchObject({ rowOffsets: Uint32Array.of(0, 1, 2), gates: Float32Array.of(0.5, 0.25) });
  });

  it('refuses a number past 2^53', () => {
    expect(() => decodeLeadFrame(call({ step: 1n << 53n }))).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('refuses a message that is cut anywhere, or reads no more than is there', () => {
    const whole = encodeLeadFrame(CALL);
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodeLeadFrame(whole.subarray(0, length))).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    }
  });

  it('of any bytes at all, refuses them or ends', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeLeadFrame, decodeWorkerFrame]) {
        try {
          decode(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AppError);
        }
      }
    }));
  });
});

it('a frame is hardly longer than its activations, and does not share their memory', () => {
  const sent = new Uint8Array(4096).fill(1);
  const bytes = encodeLeadFrame({ ...CALL, activations: sent });
  sent.fill(2);
  expect(bytes.length).toBeLessThan(4096 + 60);
  expect(bytes.includes(Buffer.alloc(16, 2))).toBe(false);
});
