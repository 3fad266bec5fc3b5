import { assert, type LayerWeights, type ModelSpec, type ModelWeights, rotarySizeOf, type TensorView } from '@essaim/core';
import { type GgufForm, type TensorEntry, type TensorType } from './format.ts';
import { q4Bytes, q4Rows } from './q4-rows.ts';

/** A tensor with its data, made while it is written. */
export interface GgufTensor extends TensorEntry {
  chunks(): AsyncGenerator<Uint8Array>;
}

/** Read and converted at once, as float32. */
const CHUNK_BYTES = 4 << 20;

/** Every tensor of a Mixtral under the names of llama.cpp's architecture "llama": matrices that Essaim quantises in the form, the rest as Essaim keeps it. */
export function ggufTensors(spec: ModelSpec, weights: ModelWeights, form: GgufForm): GgufTensor[] {
  return [
    matrix('token_embd.weight', 'bf16', [weights.embedding]),
    ...weights.layers.flatMap((layer, index) => layerTensors(`blk.${index}`, layer, { headSize: rotarySizeOf(spec.attention), form })),
    vector('output_norm.weight', weights.finalNorm),
    matrix('output.weight', form, [weights.head]),
  ];
}

function layerTensors(prefix: string, layer: LayerWeights, { headSize, form }: { readonly headSize: number; readonly form: GgufForm }): GgufTensor[] {
  const { attention, feedForward } = layer;
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const { experts } = feedForward;
  return [
    vector(`${prefix}.attn_norm.weight`, layer.inputNorm),
    rotary(`${prefix}.attn_q.weight`, attention.query, { headSize, form }),
    rotary(`${prefix}.attn_k.weight`, attention.key, { headSize, form }),
    matrix(`${prefix}.attn_v.weight`, form, [attention.value]),
    matrix(`${prefix}.attn_output.weight`, form, [attention.output]),
    vector(`${prefix}.ffn_norm.weight`, layer.postAttentionNorm),
    matrix(`${prefix}.ffn_gate_inp.weight`, 'f32', [feedForward.router]),
    stacked(`${prefix}.ffn_gate_exps.weight`, experts.map(({ gate }) => gate), form),
    stacked(`${prefix}.ffn_up_exps.weight`, experts.map(({ up }) => up), form),
    stacked(`${prefix}.ffn_down_exps.weight`, experts.map(({ down }) => down), form),
  ];
}

const vector = (name: string, view: TensorView): GgufTensor => ({ ...matrix(name, 'f32', [view]), dims: [view.columns] });

/** Matrices of all experts, one behind the other. */
const stacked = (name: string, views: readonly TensorView[], form: GgufForm): GgufTensor => ({ ...matrix(name, form, views), dims: [views[0]!.columns, views[0]!.rows, views.length] });

function matrix(name: string, type: TensorType, views: readonly TensorView[]): GgufTensor {
  const [first] = views;
  assert(first, 'a tensor has data');
  const { bytes, encode } = ENCODINGS[type];
  return {
    name, type, dims: [first.columns, first.rows], byteLength: bytes(views.length * first.rows * first.columns),
    async *chunks() {
      const rowsAtOnce = Math.max(1, Math.floor(CHUNK_BYTES / (first.columns * Float32Array.BYTES_PER_ELEMENT)));
      for (const view of views) {
        for (let row = 0; row < view.rows; row += rowsAtOnce) yield encode(await view.read(row, Math.min(rowsAtOnce, view.rows - row)), view.columns);
      }
    },
  };
}

/**
 * Queries or keys. Hugging Face turns dimension i of a head together with i + half of them, llama.cpp's "llama" turns neighbours: the rows
 * of each head are interleaved (`LlamaModel.permute` in convert_hf_to_gguf.py).
 */
function rotary(name: string, view: TensorView, { headSize, form }: { readonly headSize: number; readonly form: GgufForm }): GgufTensor {
  const { encode } = ENCODINGS[form];
  return {
    ...matrix(name, form, [view]),
    async *chunks() {
      for (let row = 0; row < view.rows; row += headSize) yield encode(interleaved(await view.read(row, headSize), view.columns), view.columns);
    },
  };
}

/** Rows 0, half, 1, half + 1, ... of the rows of one head. */
export function interleaved(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const from = (row >> 1) + (row % 2) * (rows / 2);
    turned.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return turned;
}

interface Encoding {
  readonly bytes: (values: number) => number;
  readonly encode: (values: Float32Array, columns: number) => Uint8Array;
}

const ENCODINGS: Readonly<Record<TensorType, Encoding>> = {
  f32: { bytes: (values) => 4 * values, encode: bytesOf },
  f16: { bytes: (values) => 2 * values, encode: (values) => bytesOf(Float16Array.from(values)) },
  // The checkpoint holds bfloat16: cutting off the lower half loses nothing.
  bf16: { bytes: (values) => 2 * values, encode: (values) => bytesOf(Uint16Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (word) => word >>> 16)) },
  q4_0: { bytes: q4Bytes, encode: q4Rows },
};

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float16Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
