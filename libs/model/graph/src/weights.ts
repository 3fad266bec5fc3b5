import { type StoredDtype, type TensorView, type WeightDtype } from '@essaim/core';
import { type ExternalWeight, type GraphBuilder } from './graph-builder.ts';
import { blocksPerRow, BLOCK_SIZE, bytesPerBlock, QUANTISED_BITS, quantiseRows, type QuantisedDtype } from './quantise.ts';
import { rowChunks, type Rows, stack } from './row-chunks.ts';

const F32_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** y = x W^T for x [tokens, columns] and W [rows, columns]; returns the name of y [tokens, rows]. */
export function linear(graph: GraphBuilder, x: string, { name, weight, dtype }: { readonly name: string; readonly weight: Rows; readonly dtype: WeightDtype }): string {
  if (dtype === 'float32') return graph.node('Gemm', [x, float32Weight(graph, name, weight)], { attributes: { transB: 1 } });
  const [codes, scales] = quantisedWeight(weight, dtype);
  return graph.node('MatMulNBits', [x, graph.weight(`${name}.codes`, codes), graph.weight(`${name}.scales`, scales)], {
    domain: 'com.microsoft',
    // Level 4: activations are quantised to int8 in blocks too, sums are float32.
    attributes: { K: weight.columns, N: weight.rows, bits: QUANTISED_BITS[dtype], block_size: BLOCK_SIZE, accuracy_level: 4 },
  });
}

/** A vector, [columns]. */
export function vector(graph: GraphBuilder, name: string, view: TensorView): string {
  const rows = stack(view);
  return graph.weight(name, { ...float32(rows), dims: [view.columns] });
}

/** A table [rows, columns] in the form in which the checkpoint has it, to gather rows of. */
export function storedTable(graph: GraphBuilder, name: string, view: TensorView): string {
  const { encode, bytes } = STORED[view.dtype];
  const rows = stack(view);
  return graph.weight(name, {
    type: view.dtype, dims: [view.rows, view.columns], byteLength: view.rows * view.columns * bytes, sources: rows.views,
    async *chunks() {
      for await (const values of rowChunks(rows)) yield encode(values);
    },
  });
}

const float32Weight = (graph: GraphBuilder, name: string, rows: Rows): string => graph.weight(name, float32(rows));

function float32(rows: Rows): ExternalWeight {
  return {
    type: 'f32', dims: [rows.rows, rows.columns], byteLength: rows.rows * rows.columns * F32_BYTES, sources: rows.views,
    async *chunks() {
      for await (const values of rowChunks(rows)) yield bytesOf(values);
    },
  };
}

/** Codes and scales. The rows are read once where the codes are asked for first: their scales are kept until they are asked for. */
function quantisedWeight(rows: Rows, dtype: QuantisedDtype): [ExternalWeight, ExternalWeight] {
  const blocks = blocksPerRow(rows.columns);
  let kept: Float32Array[] = [];
  async function* codes(): AsyncGenerator<Uint8Array> {
    kept = [];
    for await (const values of rowChunks(rows)) {
      const quantised = quantiseRows(values, rows.columns, dtype);
      kept.push(quantised.scales);
      yield quantised.codes;
    }
  }
  async function* scales(): AsyncGenerator<Uint8Array> {
    if (kept.length === 0) for await (const _ of codes());
    for (const part of kept) yield bytesOf(part);
    kept = [];
  }
  return [
    { type: 'u8', dims: [rows.rows, blocks, bytesPerBlock(dtype)], byteLength: rows.rows * blocks * bytesPerBlock(dtype), sources: rows.views, chunks: codes },
    { type: 'f32', dims: [rows.rows * blocks], byteLength: rows.rows * blocks * F32_BYTES, sources: rows.views, chunks: scales },
  ];
}

const bytesOf = (values: Float32Array | Uint16Array | Float16Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Back to the stored form: exact, since the values came from there. */
const STORED: Readonly<Record<StoredDtype, { readonly bytes: number; readonly encode: (values: Float32Array) => Uint8Array }>> = {
  f32: { bytes: 4, encode: bytesOf },
  f16: { bytes: 2, encode: (values) => bytesOf(Float16Array.from(values)) },
  bf16: {
    bytes: 2,
    encode: (values) => {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      return bytesOf(Uint16Array.from(bits, (word) => word >>> 16));
    },
  },
};
