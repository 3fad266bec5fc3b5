import { type DescField, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
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
  const others = toBinary(ExpertCallSchema, { ...frame.value, activations: NONE }, OPTIONS);
  return Buffer.concat(embed(ExecuteRequestSchema.field.call, [others, ...embed(ExpertCallSchema.field.activations, [activations])]));
}

export function encodeExecuteResponse(response: workerV1.ExecuteResponse): Buffer {
  const { outcome } = response;
  if (outcome.case !== 'result') return Buffer.from(toBinary(ExecuteResponseSchema, response, OPTIONS));
  const { activations } = outcome.value;
  const others = toBinary(ExpertResultSchema, { ...outcome.value, activations: NONE }, OPTIONS);
  const result = embed(ExecuteResponseSchema.field.result, [others, ...embed(ExpertResultSchema.field.activations, [activations])]);
  return Buffer.concat([toBinary(ExecuteResponseSchema, { ...response, outcome: { case: undefined } }, OPTIONS), ...result]);
}

/** Bytes, or an encoded message, as a field of the message around it. */
function embed(field: DescField, content: readonly Uint8Array[]): Uint8Array[] {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return [new BinaryWriter().tag(field.number, WireType.LengthDelimited).uint32(length).finish(), ...content];
}
