import { AppError } from '@essaim/core';
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from './wire-format.ts';

/** Unit of what a varint of ten bytes, the longest, has no digit for. */
const TOO_LARGE = 2 ** 70;

/**
 * Reads the fields of one protobuf message, in whatever order they come: `next`, then the method of its type, or `skip`.
 * Fails with `invalid_argument` on bytes that are no such message.
 */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #wireType = VARINT;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Number of the next field; 0 at the end. */
  next(): number {
    if (this.#position === this.#bytes.length) return 0;
    const tag = this.#varint();
    this.#wireType = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed();
    return field;
  }

  /** Below 2^53. */
  uint(): number {
    if (this.#wireType !== VARINT) throw malformed();
    return this.#varint();
  }

  /** A view. */
  bytes(): Uint8Array {
    if (this.#wireType !== LENGTH_DELIMITED) throw malformed();
    return this.#take(this.#varint());
  }

  string(): string {
    const { buffer, byteOffset, byteLength } = this.bytes();
    return Buffer.from(buffer, byteOffset, byteLength).toString();
  }

  /** The message in this field. */
  message(): FieldReader {
    return new FieldReader(this.bytes());
  }

  /** Values of a repeated field, after those that were read before: senders may send them in pieces. */
  uints(before: Uint32Array): Uint32Array {
    const values = this.#wireType === VARINT ? Uint32Array.of(this.#varint()) : uintsOf(this.bytes());
    if (before.length === 0) return values;
    const all = new Uint32Array(before.length + values.length);
    all.set(before);
    all.set(values, before.length);
    return all;
  }

  /** See `uints`. */
  floats(before: Float32Array): Float32Array {
    const bytes = this.#wireType === FIXED32 ? this.#take(4) : this.bytes();
    if (bytes.byteLength % 4 !== 0) throw malformed();
    const all = new Float32Array(before.length + bytes.byteLength / 4);
    all.set(before);
    new Uint8Array(all.buffer).set(bytes, before.byteLength);
    return all;
  }

  /** A field that is none of ours. */
  skip(): void {
    switch (this.#wireType) {
      case VARINT: return void this.#skipVarint();
      case FIXED64: return void this.#take(8);
      case LENGTH_DELIMITED: return void this.bytes();
      case FIXED32: return void this.#take(4);
      default: throw malformed();
    }
  }

  #take(length: number): Uint8Array {
    const first = this.#position;
    this.#position += length;
    if (this.#position > this.#bytes.length) throw malformed();
    return this.#bytes.subarray(first, this.#position);
  }

  #varint(): number {
    let value = 0;
    for (let unit = 1; unit < TOO_LARGE; unit *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (byte >= 0x80) continue;
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw malformed();
  }

  #skipVarint(): void {
    while (this.#byte() >= 0x80);
  }

  #byte(): number {
    if (this.#position === this.#bytes.length) throw malformed();
    return this.#bytes[this.#position++]!;
  }
}

function uintsOf(packed: Uint8Array): Uint32Array {
  let count = 0;
  for (let index = 0; index < packed.length; index++) if (packed[index]! < 0x80) count++;
  const values = new Uint32Array(count);
  const reader = new FieldReader(packed);
  for (let index = 0; index < count; index++) values[index] = reader.uint();
  return values;
}

const malformed = (): AppError => new AppError('invalid_argument', 'a message is no protobuf that this process can read');
