import { createHash } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openCheckpoint } from '@essaim/checkpoint';
import { AppError, assert, type ModelSpec } from '@essaim/core';
import { openCheckpointFolder } from '@essaim/files';
import { aligned, GGUF_FORMS, type GgufForm, ggufHead, type MetadataValue } from './format.ts';
import { ggufTensors, type GgufTensor } from './tensors.ts';

export interface ExportOptions {
  /** Of a Mixtral. Its name tells what it holds, as that of a synthetic checkpoint does. */
  readonly checkpointFolder: string;
  readonly form: GgufForm;
  readonly cacheFolder: string;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/** What lies on disks already is stale once the same checkpoint makes other bytes. */
const FORMAT = 2;

/**
 * The checkpoint as a GGUF file, in Q4_0 with the weights that Essaim computes with at int4, written unless it is there. Nobody else may write
 * below `cacheFolder` meanwhile. Fails with `resource_exhausted` when the disk has no room for it.
 */
export async function exportGguf({ checkpointFolder, form, cacheFolder, onProgress, signal }: ExportOptions): Promise<string> {
  const name = basename(checkpointFolder);
  const identity = form === 'q4_0' ? name : `${name}-${form}`;
  const file = join(cacheFolder, `${identity}-${createHash('sha256').update(`${FORMAT} ${identity}`).digest('hex').slice(0, 8)}.gguf`);
  if (await stat(file).catch(() => null)) return file;
  const unfinished = `${file}.part`;
  const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(checkpointFolder));
  try {
    await writeGguf(unfinished, { metadata: metadataOf(spec, { name, form }), tensors: ggufTensors(spec, weights, form), onProgress, signal });
    await rename(unfinished, file);
  } catch (thrown) {
    await rm(unfinished, { force: true });
    if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') throw new AppError('resource_exhausted', `the disk of ${cacheFolder} is full: free some space or give --state-dir a larger disk`, { cause: thrown });
    throw thrown;
  } finally {
    await close();
  }
  return file;
}

interface Writing extends Pick<ExportOptions, 'onProgress' | 'signal'> {
  readonly metadata: ReturnType<typeof metadataOf>;
  readonly tensors: readonly GgufTensor[];
}

async function writeGguf(file: string, { metadata, tensors, onProgress, signal }: Writing): Promise<void> {
  const totalBytes = tensors.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0);
  await rm(file, { force: true });
  await using handle = await open(file, 'wx');
  await handle.writeFile(ggufHead(metadata, tensors));
  let doneBytes = 0;
  for (const { name, byteLength, chunks } of tensors) {
    const end = doneBytes + byteLength;
    for await (const bytes of chunks()) {
      signal.throwIfAborted();
      await handle.writeFile(bytes);
      onProgress((doneBytes += bytes.length), totalBytes);
    }
    assert(doneBytes === end, `${name} has the size that the head says`);
    const padding = aligned(byteLength) - byteLength;
    await handle.writeFile(new Uint8Array(padding));
    doneBytes += padding;
  }
  await handle.datasync();
}

/** The keys that llama.cpp asks of its architecture "llama". */
export function metadataOf({ attention, feedForward, rope, ...spec }: ModelSpec, { name, form }: { readonly name: string; readonly form: GgufForm }): Readonly<Record<string, MetadataValue>> {
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const u32 = (value: number): MetadataValue => ({ type: 'u32', value });
  const f32 = (value: number): MetadataValue => ({ type: 'f32', value });
  const string = (value: string): MetadataValue => ({ type: 'string', value });
  return {
    'general.architecture': string('llama'),
    'general.name': string(name),
    'general.file_type': u32(GGUF_FORMS[form]),
    'llama.vocab_size': u32(spec.vocabSize),
    'llama.context_length': u32(spec.contextLength),
    'llama.embedding_length': u32(spec.hiddenSize),
    'llama.block_count': u32(spec.layerCount),
    'llama.feed_forward_length': u32(feedForward.size),
    'llama.attention.head_count': u32(attention.headCount),
    'llama.attention.head_count_kv': u32(attention.kvHeadCount),
    'llama.attention.layer_norm_rms_epsilon': f32(spec.normEpsilon),
    'llama.rope.dimension_count': u32(attention.headSize),
    'llama.rope.freq_base': f32(rope.theta),
    'llama.expert_count': u32(feedForward.expertCount),
    'llama.expert_used_count': u32(feedForward.expertsPerToken),
    'tokenizer.ggml.model': string('llama'),
    'tokenizer.ggml.tokens': { type: 'array', value: vocabulary(spec.vocabSize) },
  };
}

/** Prompts are token ids and nobody reads the answers, but llama.cpp insists on a tokenizer: this one knows single bytes. */
function vocabulary(size: number): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const known = ['<unk>', '<s>', '</s>', ...bytes];
  return [...known, ...Array.from({ length: size - known.length }, (_, index) => `filler${known.length + index}`)];
}
