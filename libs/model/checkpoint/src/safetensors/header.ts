import { z } from 'zod';
import { damaged } from '../damaged.ts';
import { parseStrictJson } from '../json/strict-json.ts';
import { bitsPerValue } from './dtype.ts';

/** One tensor as a header declares it. */
export interface TensorEntry {
  readonly name: string;
  /** As written, for example "BF16"; possibly one that nobody knows. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes [begin, end) of the file's data, which starts behind the header. */
  readonly begin: number;
  readonly end: number;
}

const WHOLE_NUMBERS = 'must hold whole numbers from 0 to 2^53 - 1';
const wholeNumber = z.int(WHOLE_NUMBERS).nonnegative(WHOLE_NUMBERS);
/** Messages complete "FIELD of tensor NAME ". */
const entrySchema = z.object(
  { dtype: z.string('must be a string'), shape: z.array(wholeNumber, 'must be a list'), data_offsets: z.tuple([wholeNumber, wholeNumber], 'must be a pair') },
  'must be an object',
);
const metadataSchema = z.record(z.string(), z.string());

/**
 * The tensors that a safetensors header declares, in the order of their bytes, which are exactly the file's data: no overlap, no gap,
 * nothing behind. Fails with `data_loss` and a sentence that names the file and, where there is one, the tensor.
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseHeader(file: string, header: Uint8Array, dataBytes: number): TensorEntry[] {
  const { __metadata__: metadata, ...tensors } = parseObject(file, header);
  if (metadata !== undefined && !metadataSchema.safeParse(metadata).success) throw damaged(file, 'the __metadata__ of its header has values that are not strings');
  const entries = Object.entries(tensors)
    .map(([name, value]) => parseEntry(file, name, value))
    .sort((one, other) => one.begin - other.begin || one.end - other.end);
  checkPlaces(file, entries, dataBytes);
  return entries;
}

function parseObject(file: string, header: Uint8Array): Readonly<Record<string, unknown>> {
  if (header[0] !== '{'.charCodeAt(0)) throw damaged(file, 'its header does not start with "{"');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    return parseStrictJson(text) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw damaged(file, `its header is not valid JSON in UTF-8 (${(cause as Error).message})`, cause);
  }
}

function parseEntry(file: string, name: string, value: unknown): TensorEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const { path: [field], message } = parsed.error.issues[0]!;
    throw damaged(file, `${field === undefined ? 'the entry' : String(field)} of tensor ${name} ${message}`, parsed.error);
  }
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
  if (begin > end) throw damaged(file, `tensor ${name} ends at byte ${end}, before it begins at ${begin}`);
  checkSize(file, { name, dtype, shape, begin, end });
  return { name, dtype, shape, begin, end };
}

/** A dtype that nobody knows has no size to check; it is refused when the tensor is used. */
function checkSize(file: string, { name, dtype, shape, begin, end }: TensorEntry): void {
  const bits = bitsPerValue(dtype);
  if (bits === null) return;
  const bytes = (shape.reduce((product, size) => product * size, 1) * bits) / 8;
  if (bytes !== end - begin) throw damaged(file, `tensor ${name} has ${end - begin} bytes, but ${dtype} of shape [${shape.join(', ')}] takes ${bytes}`);
}

function checkPlaces(file: string, entries: readonly TensorEntry[], dataBytes: number): void {
  let place = 0;
  for (const { name, begin, end } of entries) {
    if (begin < place) throw damaged(file, `tensor ${name} begins at byte ${begin} inside the one before it, which ends at ${place}`);
    if (begin > place) throw damaged(file, `bytes ${place} to ${begin} before tensor ${name} belong to no tensor`);
    place = end;
  }
  if (place > dataBytes) throw damaged(file, `its tensors take ${place} bytes, but only ${dataBytes} are there: it was cut short`);
  if (place < dataBytes) throw damaged(file, `bytes ${place} to ${dataBytes} behind its last tensor belong to no tensor`);
}
