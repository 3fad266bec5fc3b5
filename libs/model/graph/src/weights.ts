import { type TensorView, type WeightDtype } from '@essaim/core';
import { BLOCK_SIZE, blocksPerRow, bytesOf, bytesPerBlock, encodeStored, QUANTISED_BITS, type QuantisedDtype, quantiseRows, rowChunks, type Rows, splitRows, stack, STORED_BYTES } from '@essaim/quantise';
import { type ExternalWeight, type GraphBuilder } from './graph-builder.ts';

const F32_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** How matrices are held. */
export interface MatrixForm {
  readonly dtype: WeightDtype;
  /** The most bytes of a tensor, where a device takes no larger ones. Default: no bound. */
  readonly tensorBytes?: number | null;
}

/** Rows of a tensor are a multiple of this where there are as many: kernels compute tiles of rows. */
const TILE_ROWS = 64;

/** y = x W^T for x [tokens, columns] and W [rows, columns]; returns the name of y [tokens, rows]. What is too large for one tensor becomes several, by rows. */
export function linear(graph: GraphBuilder, x: string, { name, weight, form: { dtype, tensorBytes = null } }: { readonly name: string; readonly weight: Rows; readonly form: MatrixForm }): string {
  const parts = tensorBytes === null ? [weight] : splitRows(weight, wholeTiles(Math.floor(tensorBytes / rowBytes(weight.columns, dtype))));
  if (parts.length === 1) return product(graph, x, { name, weight, dtype });
  return graph.node('Concat', parts.map((part, nth) => product(graph, x, { name: `${name}.${nth}`, weight: part, dtype })), { attributes: { axis: 1 } });
}

const wholeTiles = (rows: number): number => (rows < TILE_ROWS ? rows : rows - (rows % TILE_ROWS));
const rowBytes = (columns: number, dtype: WeightDtype): number => (dtype === 'float32' ? columns * F32_BYTES : blocksPerRow(columns) * bytesPerBlock(dtype));

function product(graph: GraphBuilder, x: string, { name, weight, dtype }: { readonly name: string; readonly weight: Rows; readonly dtype: WeightDtype }): string {
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
  const rows = stack(view);
  return graph.weight(name, {
    type: view.dtype, dims: [view.rows, view.columns], byteLength: view.rows * view.columns * STORED_BYTES[view.dtype], sources: rows.views,
    async *chunks() {
      for await (const values of rowChunks(rows)) yield encodeStored(values, view.dtype);
    },
  });
}

/** The same rows of each head's part of a matrix, float32: [headCount, rows, columns]. */
export function headTables(graph: GraphBuilder, name: string, view: TensorView, { headCount, stride, first, rows }: { readonly headCount: number; readonly stride: number; readonly first: number; readonly rows: number }): string {
  return graph.weight(name, {
    type: 'f32', dims: [headCount, rows, view.columns], byteLength: headCount * rows * view.columns * F32_BYTES, sources: [view],
    async *chunks() {
      for (let head = 0; head < headCount; head++) yield bytesOf(await view.read(head * stride + first, rows));
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
      const quantised = quantiseRows(values, { columns: rows.columns, dtype });
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
