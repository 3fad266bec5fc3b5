import { type DescField, toBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { workerV1 } from '@essaim/contracts';

// Activations are all but a few bytes of the two messages below, and protobuf-es moves a bytes field four times before it is out, through
// a buffer that grows by doubling. Here they move once, behind the other fields of their message: any protobuf library reads that, since
// fields have no order on the wire.

const { ExecuteRequestSchema, ExecuteResponseSchema, ExpertCallSchema, ExpertResultSchema } = workerV1;
const NONE = new Uint8Array();
const OPTIONS = { writeUnknownFields: false };

export function encodeExecuteRequest(request: workerV1.ExecuteRequest): Buffer {
  const { frame } = request;
  if (frame.case !== 'call') return Buffer.from(toBinary(ExecuteRequestSchema, request, OPTIONS));
  const { activations } = frame.value;
  return concat({
    before: NONE,
    field: ExecuteRequestSchema.field.call,
    others: toBinary(ExpertCallSchema, { ...frame.value, activations: NONE }, OPTIONS),
    activationsField: ExpertCallSchema.field.activations,
    activations,
  });
}

export function encodeExecuteResponse(response: workerV1.ExecuteResponse): Buffer {
  const { outcome } = response;
  if (outcome.case !== 'result') return Buffer.from(toBinary(ExecuteResponseSchema, response, OPTIONS));
  const { activations } = outcome.value;
  return concat({
    before: toBinary(ExecuteResponseSchema, { ...response, outcome: { case: undefined } }, OPTIONS),
    field: ExecuteResponseSchema.field.result,
    others: toBinary(ExpertResultSchema, { ...outcome.value, activations: NONE }, OPTIONS),
    activationsField: ExpertResultSchema.field.activations,
    activations,
  });
}

/** A message that ends with a message that ends with activations. */
interface Parts {
  /** The outer one's other fields, encoded. */
  readonly before: Uint8Array;
  /** Of the inner one in the outer one. */
  readonly field: DescField;
  /** The inner one's other fields, encoded. */
  readonly others: Uint8Array;
  readonly activationsField: DescField;
  readonly activations: Uint8Array;
}

/** grpc-js hands a message over behind its 5 bytes of framing, in memory that is aligned. */
const FRAMING_BYTES = 5;
const ALIGNMENT = 4;

/** As many bytes come before the activations as it takes for the receiver to read them where they are: else it would copy them. */
function concat({ before, field, others, activationsField, activations }: Parts): Buffer {
  const length = varint(activations.byteLength);
  const innerBytes = others.byteLength + 1 + length.byteLength + activations.byteLength;
  // Of the same length whatever the padding.
  const sizeBytes = varint(innerBytes + ALIGNMENT).byteLength;
  const start = FRAMING_BYTES + before.byteLength + 1 + sizeBytes + innerBytes - activations.byteLength;
  const padding = -start & (ALIGNMENT - 1);
  return Buffer.concat([before, tagOf(field), varint(innerBytes + padding, sizeBytes), others, tagOf(activationsField, 1 + padding), length, activations]);
}

/** What stands before a field of bytes or a message; its number is below 16. */
const tagOf = ({ number }: DescField, leastBytes = 1): Uint8Array => varint((number << 3) | WireType.LengthDelimited, leastBytes);

/** Seven bits a byte, the lowest first, as protobuf has them; in more bytes than needed, a number with leading zeros. */
function varint(value: number, leastBytes = 1): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length < leastBytes; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes[bytes.length - 1]! &= 0x7f;
  return new Uint8Array(bytes);
}
