import { assert, type LayerWeights, type ModelSpec, type ModelWeights, rotarySizeOf, type TensorView } from '@essaim/core';
import { type TensorEntry, type TensorType } from './format.ts';
import { q4Bytes, q4Rows } from './q4-rows.ts';

/** A tensor with its data, made while it is written. */
export interface GgufTensor extends TensorEntry {
  chunks(): AsyncGenerator<Uint8Array>;
}

/** Read and converted at once, as float32. */
const CHUNK_BYTES = 4 << 20;

/** Every tensor of a Mixtral under the names of llama.cpp's architecture "llama": matrices that Essaim quantises as Q4_0, the rest as Essaim keeps it. */
export function ggufTensors(spec: ModelSpec, weights: ModelWeights): GgufTensor[] {
  return [
    matrix('token_embd.weight', 'bf16', [weights.embedding]),
    ...weights.layers.flatMap((layer, index) => layerTensors(`blk.${index}`, layer, rotarySizeOf(spec.attention))),
    vector('output_norm.weight', weights.finalNorm),
    matrix('output.weight', 'q4_0', [weights.head]),
  ];
}

function layerTensors(prefix: string, layer: LayerWeights, headSize: number): GgufTensor[] {
  const { attention, feedForward } = layer;
  assert(attention.kind === 'gqa' && feedForward.kind === 'moe', 'a Mixtral has grouped queries and experts');
  const { experts } = feedForward;
  return [
    vector(`${prefix}.attn_norm.weight`, layer.inputNorm),
    rotary(`${prefix}.attn_q.weight`, attention.query, headSize),
    rotary(`${prefix}.attn_k.weight`, attention.key, headSize),
    matrix(`${prefix}.attn_v.weight`, 'q4_0', [attention.value]),
    matrix(`${prefix}.attn_output.weight`, 'q4_0', [attention.output]),
    vector(`${prefix}.ffn_norm.weight`, layer.postAttentionNorm),
    matrix(`${prefix}.ffn_gate_inp.weight`, 'f32', [feedForward.router]),
    stacked(`${prefix}.ffn_gate_exps.weight`, experts.map(({ gate }) => gate)),
    stacked(`${prefix}.ffn_up_exps.weight`, experts.map(({ up }) => up)),
    stacked(`${prefix}.ffn_down_exps.weight`, experts.map(({ down }) => down)),
  ];
}

const vector = (name: string, view: TensorView): GgufTensor => ({ ...matrix(name, 'f32', [view]), dims: [view.columns] });

/** Matrices of all experts, one behind the other. */
const stacked = (name: string, views: readonly TensorView[]): GgufTensor => ({ ...matrix(name, 'q4_0', views), dims: [views[0]!.columns, views[0]!.rows, views.length] });

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
function rotary(name: string, view: TensorView, headSize: number): GgufTensor {
  return {
    ...matrix(name, 'q4_0', [view]),
    async *chunks() {
      for (let row = 0; row < view.rows; row += headSize) yield q4Rows(interleaved(await view.read(row, headSize), view.columns), view.columns);
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
  // The checkpoint holds bfloat16: cutting off the lower half loses nothing.
  bf16: { bytes: (values) => 2 * values, encode: (values) => bytesOf(Uint16Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (word) => word >>> 16)) },
  q4_0: { bytes: q4Bytes, encode: q4Rows },
};

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
