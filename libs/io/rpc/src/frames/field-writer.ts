import { assert } from '@essaim/core';
import { ALIGNMENT, FRAMING_BYTES, LENGTH_DELIMITED, VARINT } from './wire-format.ts';

/** Bytes of a length that is written before it is known: a varint with leading zeros, which every protobuf library reads. */
const LENGTH_BYTES = 5;

/**
 * Writes the fields of one protobuf message, each in one go and into the memory that is sent. What is zero or empty is left out, as protobuf does.
 * Numbers of fields are below 16.
 */
export class FieldWriter {
  readonly #bytes: Buffer;
  #length = 0;

  /** Has room for a message of so many bytes and no more. */
  constructor(roomBytes: number) {
    this.#bytes = Buffer.allocUnsafe(roomBytes);
  }

  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  string(field: number, text: string): void {
    const start = this.open(field);
    this.#length += this.#bytes.write(text, this.#length);
    this.close(start);
  }

  packedUints(field: number, values: Uint32Array): void {
    if (values.length === 0) return;
    const start = this.open(field);
    for (let index = 0; index < values.length; index++) this.#varint(values[index]!);
    this.close(start);
  }

  packedFloats(field: number, { buffer, byteOffset, byteLength }: Float32Array): void {
    if (byteLength === 0) return;
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(byteLength);
    this.#append(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Where the receiver can read them in place as numbers: at a multiple of four bytes in the memory that grpc-js gives it. */
  alignedBytes(field: number, bytes: Uint8Array): void {
    const start = FRAMING_BYTES + this.#length + 1 + varintBytes(bytes.byteLength);
    this.#varint((field << 3) | LENGTH_DELIMITED, 1 + (-start & (ALIGNMENT - 1)));
    this.#varint(bytes.byteLength);
    this.#append(bytes);
  }

  /** Begins a message within this one; `close` what it returns. */
  open(field: number): number {
    this.#tag(field, LENGTH_DELIMITED);
    return (this.#length += LENGTH_BYTES);
  }

  close(start: number): void {
    const end = this.#length;
    this.#length = start - LENGTH_BYTES;
    this.#varint(end - start, LENGTH_BYTES);
    this.#length = end;
  }

  /** The message so far, sharing memory with this writer. */
  finish(): Buffer {
    assert(this.#length <= this.#bytes.length, 'a message has the room that it asked for');
    return this.#bytes.subarray(0, this.#length);
  }

  #append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  #tag(field: number, wireType: number): void {
    this.#bytes[this.#length++] = (field << 3) | wireType;
  }

  /** Seven bits a byte, the lowest first; in more bytes than needed, a number with leading zeros. */
  #varint(value: number, leastBytes = 1): void {
    let rest = value;
    const last = this.#length + leastBytes - 1;
    // Past 32 bits there are no shifts.
    for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f || this.#length < last; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}
