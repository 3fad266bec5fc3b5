import { join } from 'node:path';
import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerV1 } from '@essaim/contracts';
import { encodeExecuteRequest, encodeExecuteResponse } from './activation-frames.ts';

const { ExecuteRequestSchema, ExecuteResponseSchema } = workerV1;

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const dtype = fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<workerV1.ActivationDtype>;
// Up to lengths that take one, two and three bytes to say.
const activations = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(127, 128, 16_383, 16_384, 70_000).map((length) => new Uint8Array(length).fill(7))) as fc.Arbitrary<Uint8Array<ArrayBuffer>>;

const request: fc.Arbitrary<MessageInitShape<typeof ExecuteRequestSchema>> = fc.record({
  frame: fc.oneof(
    fc.record({
      case: fc.constant('call' as const),
      value: fc.record({
        callId: uint64, step: uint64, layer: uint32, attempt: uint32, epoch: uint64, dtype, rows: uint32, width: uint32, activations,
        rowOffsets: fc.array(uint32), experts: fc.array(uint32), gates: fc.array(fc.float()), reduce: fc.boolean(),
      }),
    }),
    fc.record({ case: fc.constant('cancel' as const), value: fc.record({ callId: uint64 }) }),
    fc.constant({ case: undefined }),
  ),
});

const response: fc.Arbitrary<MessageInitShape<typeof ExecuteResponseSchema>> = fc.record({
  callId: uint64, attempt: uint32, epoch: uint64,
  outcome: fc.oneof(
    fc.record({ case: fc.constant('result' as const), value: fc.record({ dtype, activations }) }),
    fc.record({ case: fc.constant('failure' as const), value: fc.record({ code: uint32, reason: fc.string({ unit: 'grapheme' }) }) }),
    fc.constant({ case: undefined }),
  ),
});

/** What protobuf-es reads is what it would have written itself. */
function reads<D extends DescMessage>(desc: D, arbitrary: fc.Arbitrary<MessageInitShape<D>>, encode: (message: MessageShape<D>) => Buffer): void {
  fc.assert(fc.property(arbitrary, (init) => {
    const message = create(desc, init);
    const read = fromBinary(desc, encode(message));
    expect(Buffer.compare(toBinary(desc, read), toBinary(desc, message))).toBe(0);
  }));
}

describe('protobuf-es reads', () => {
  it('requests', () => reads(ExecuteRequestSchema, request, encodeExecuteRequest));
  it('responses', () => reads(ExecuteResponseSchema, response, encodeExecuteResponse));
});

describe('protobuf.js, which shares no code with what is ours, reads', () => {
  const proto = join(import.meta.dirname, '../../../../../proto');
  const service = loadSync('essaim/worker/v1/worker.proto', { includeDirs: [proto], enums: Number, keepCase: false, oneofs: true, defaults: true })['essaim.worker.v1.WorkerService'] as ServiceDefinition;
  const { Execute } = service;

  it('calls, whatever padding aligns their activations', () => {
    for (let length = 0; length < 8; length++) {
      const sent = { callId: 7n, layer: 3, width: 9, activations: new Uint8Array(length).fill(length), rowOffsets: [0, 1], experts: Array.from({ length }, (_, index) => index), gates: [0.5] };
      const read = Execute!.requestDeserialize(encodeExecuteRequest(create(ExecuteRequestSchema, { frame: { case: 'call', value: sent } })));
      expect(read).toMatchObject({ frame: 'call', call: { ...sent, callId: expect.anything() as unknown, activations: Buffer.from(sent.activations) } });
    }
  });

  it('results', () => {
    for (let length = 0; length < 8; length++) {
      const activations = new Uint8Array(length).fill(length);
      const read = Execute!.responseDeserialize(encodeExecuteResponse(create(ExecuteResponseSchema, { attempt: 2 ** length, outcome: { case: 'result', value: { dtype: 1, activations } } })));
      expect(read).toMatchObject({ attempt: 2 ** length, outcome: 'result', result: { dtype: 1, activations: Buffer.from(activations) } });
    }
  });
});

it('the receiver finds activations at a multiple of four bytes behind the framing of grpc-js', () => {
  const behindFraming = (bytes: Buffer): Buffer => Buffer.concat([Buffer.alloc(5), bytes], 5 + bytes.length).subarray(5);
  fc.assert(fc.property(request, response, (call, result) => {
    const { frame } = fromBinary(ExecuteRequestSchema, behindFraming(encodeExecuteRequest(create(ExecuteRequestSchema, call))));
    const { outcome } = fromBinary(ExecuteResponseSchema, behindFraming(encodeExecuteResponse(create(ExecuteResponseSchema, result))));
    if (frame.case === 'call') expect(frame.value.activations.byteOffset % 4).toBe(0);
    if (outcome.case === 'result') expect(outcome.value.activations.byteOffset % 4).toBe(0);
  }));
});

it('a frame is hardly longer than its activations, and does not share their memory', () => {
  const sent = new Uint8Array(4096).fill(1);
  const bytes = encodeExecuteRequest(create(ExecuteRequestSchema, { frame: { case: 'call', value: { activations: sent } } }));
  sent.fill(2);
  expect(bytes.length).toBeLessThan(4096 + 10);
  expect(bytes.includes(2, 16)).toBe(false);
});
