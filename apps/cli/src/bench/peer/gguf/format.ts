/**
 * The head of a GGUF file, version 3: what the model is, then where each tensor lies. Little-endian throughout.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

const MAGIC = 'GGUF';
const VERSION = 3;
/** Tensors begin at multiples of it; the format's default. */
const ALIGNMENT = 32;

/** Numbers of ggml's enum. */
const TENSOR_TYPES = { f32: 0, f16: 1, q4_0: 2, bf16: 30 } as const;
export type TensorType = keyof typeof TENSOR_TYPES;

/** Of a file, after its matrices; with ggml's number for it. */
export const GGUF_FORMS = { q4_0: 2, f16: 1 } as const satisfies Partial<Record<TensorType, number>>;
export type GgufForm = keyof typeof GGUF_FORMS;

const VALUE_TYPES = { u32: 4, f32: 6, string: 8, array: 9 } as const;

export type MetadataValue =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  /** Of strings. */
  | { readonly type: 'array'; readonly value: readonly string[] };

export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  /** Fastest-changing dimension first: a matrix [rows, columns] is written [columns, rows]. */
  readonly dims: readonly number[];
  readonly byteLength: number;
}

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Everything before the first tensor's data, padding included. Data follow in the order of `tensors`, each padded to `aligned` bytes. */
export function ggufHead(metadata: Readonly<Record<string, MetadataValue>>, tensors: readonly TensorEntry[]): Uint8Array {
  const entries = Object.entries(metadata);
  let offset = 0;
  const head = Buffer.concat([
    Buffer.from(MAGIC), u32(VERSION), u64(tensors.length), u64(entries.length),
    ...entries.flatMap(([key, entry]) => [string(key), u32(VALUE_TYPES[entry.type]), encoded(entry)]),
    ...tensors.flatMap((tensor) => {
      const own = [string(tensor.name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(TENSOR_TYPES[tensor.type]), u64(offset)];
      offset += aligned(tensor.byteLength);
      return own;
    }),
  ]);
  return Buffer.concat([head], aligned(head.length));
}

function encoded({ type, value }: MetadataValue): Buffer {
  if (type === 'string') return string(value);
  if (type === 'array') return Buffer.concat([u32(VALUE_TYPES.string), u64(value.length), ...value.map(string)]);
  return type === 'u32' ? u32(value) : f32(value);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

const string = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
