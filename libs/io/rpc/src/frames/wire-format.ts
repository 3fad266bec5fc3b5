// Of protobuf's encoding, https://protobuf.dev/programming-guides/encoding, what our frames use.

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

/** grpc-js hands a message over behind its 5 bytes of framing, in memory that is aligned. */
export const FRAMING_BYTES = 5;
export const ALIGNMENT = 4;

/** Bytes at most of a 32-bit varint. */
export const UINT32_BYTES = 5;
