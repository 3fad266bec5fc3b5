import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type PlannedTensor, valueCount } from './model.ts';
import { type WeightSource } from './weight-source.ts';

const BYTES_PER_VALUE = Uint16Array.BYTES_PER_ELEMENT;
const CHUNK_BYTES = 8 << 20;

export const tensorBytes = (tensor: PlannedTensor): number => valueCount(tensor) * BYTES_PER_VALUE;

export interface Shard {
  readonly file: string;
  readonly tensors: readonly PlannedTensor[];
}

/** Tensors in their order, as many to a file as fit `shardBytes`, at least one. Files are named as transformers names them. */
export function planShards(tensors: readonly PlannedTensor[], shardBytes: number): Shard[] {
  const groups: PlannedTensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (groups.length === 0 || bytes > room) {
      groups.push([]);
      room = shardBytes;
    }
    groups.at(-1)!.push(tensor);
    room -= bytes;
  }
  const number = (index: number): string => String(index).padStart(5, '0');
  return groups.map((group, index) => ({ file: `model-${number(index + 1)}-of-${number(groups.length)}.safetensors`, tensors: group }));
}

/** model.safetensors.index.json */
export function indexOf(shards: readonly Shard[]): object {
  const tensors = shards.flatMap(({ file, tensors: own }) => own.map((tensor) => ({ tensor, file })));
  return {
    metadata: { total_size: tensors.reduce((sum, { tensor }) => sum + tensorBytes(tensor), 0) },
    weight_map: Object.fromEntries(tensors.map(({ tensor, file }) => [tensor.name, file])),
  };
}

export interface ShardWriting {
  readonly folder: string;
  readonly source: WeightSource;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes a safetensors file a few MiB at a time. It is on the disk when this resolves, so that writing it back does not disturb what is
 * measured next.
 * @see https://github.com/huggingface/safetensors#format
 */
export async function writeShard({ file, tensors }: Shard, { folder, source, onBytes, signal }: ShardWriting): Promise<void> {
  await using handle = await open(join(folder, file), 'wx');
  await handle.writeFile(headerBytes(tensors));
  for (const tensor of tensors) {
    for (const values of chunksOf(tensor, source)) {
      signal.throwIfAborted();
      await handle.writeFile(new Uint8Array(values.buffer));
      onBytes(values.byteLength);
    }
  }
  await handle.datasync();
}

/** The length of the header, then the header, padded with spaces so that the data behind it is aligned to 8 bytes. */
function headerBytes(tensors: readonly PlannedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map((tensor) => [tensor.name, { dtype: 'BF16', shape: tensor.shape, data_offsets: [end, (end += tensorBytes(tensor))] }] as const);
  const json = JSON.stringify(Object.fromEntries<object>([['__metadata__', { format: 'pt' }], ...entries]));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}

function* chunksOf({ shape, ...distribution }: PlannedTensor, source: WeightSource): Generator<Uint16Array> {
  const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / (columns * BYTES_PER_VALUE)));
  for (let first = 0; first < rows; first += rowsPerChunk) yield source.rows(Math.min(rowsPerChunk, rows - first), columns, distribution);
}
