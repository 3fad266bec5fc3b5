/** A tensor to write: its bytes as they lie in the file. */
export interface TensorBytes {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A file of the format from any header, right or wrong, and any data. */
export function safetensorsFile(header: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array {
  const headerBytes = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes.length));
  return Buffer.concat([length, headerBytes, data]);
}

/** A well-formed file: the tensors' bytes one behind the other, in the order given. */
export function writeSafetensors(tensors: readonly TensorBytes[]): Uint8Array {
  return safetensorsFile(JSON.stringify(headerOf(tensors)), Buffer.concat(tensors.map(({ bytes }) => bytes)));
}

export function headerOf(tensors: readonly TensorBytes[]): Record<string, object> {
  let begin = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => [name, { dtype, shape, data_offsets: [begin, (begin += bytes.length)] }] as const);
  return Object.fromEntries<object>([['__metadata__', { format: 'pt' }], ...entries]);
}

/** Float32 values as bytes. */
export const floatBytes = (values: Iterable<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
