import { type ComputeDtype, type TensorView, type WeightDtype } from '@essaim/core';
import { BLOCK_SIZE, blocksPerRow, bytesOf, bytesPerBlock, encodeStored, QUANTISED_BITS, type QuantisedDtype, quantiseRows, rowChunks, type Rows, splitRows, stack, STORED_BYTES } from '@essaim/quantise';
import { ELEMENT, type ExternalWeight, type GraphBuilder } from './graph-builder.ts';

const F32_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** How matrices are held and multiplied. */
export interface MatrixForm {
  readonly dtype: WeightDtype;
  /** What activations are rounded to before a product, and its results are; f16 rounds float32 weights and scales, too. Default: f32. */
  readonly compute?: ComputeDtype;
  /** The most bytes of a tensor, where a device takes no larger ones. Default: no bound. */
  readonly tensorBytes?: number | null;
}

/** Rows of a tensor are a multiple of this where there are as many: kernels compute tiles of rows. */
const TILE_ROWS = 64;

export interface Matrix {
  readonly name: string;
  readonly weight: Rows;
  readonly form: MatrixForm;
}

/** y = x W^T for x [tokens, columns] and W [rows, columns], both float32; returns the name of y [tokens, rows]. */
export function linear(graph: GraphBuilder, x: string, matrix: Matrix): string {
  return toFloat32(graph, product(graph, toCompute(graph, x, matrix.form), matrix), matrix.form);
}

/** As `linear`, of activations that are what the form computes in, as its result is. What is too large for one tensor becomes several, by rows. */
export function product(graph: GraphBuilder, x: string, { name, weight, form }: Matrix): string {
  const { tensorBytes = null } = form;
  const parts = tensorBytes === null ? [weight] : splitRows(weight, wholeTiles(Math.floor(tensorBytes / rowBytes(weight.columns, form))));
  if (parts.length === 1) return productOf(graph, x, { name, weight, form });
  return graph.node('Concat', parts.map((part, nth) => productOf(graph, x, { name: `${name}.${nth}`, weight: part, form })), { attributes: { axis: 1 } });
}

/** float32 as what the form computes in. */
export const toCompute = (graph: GraphBuilder, x: string, { compute }: MatrixForm): string => (compute === 'f16' ? graph.node('Cast', [x], { attributes: { to: ELEMENT.f16 } }) : x);
/** And back. */
export const toFloat32 = (graph: GraphBuilder, x: string, { compute }: MatrixForm): string => (compute === 'f16' ? graph.node('Cast', [x], { attributes: { to: ELEMENT.f32 } }) : x);

const wholeTiles = (rows: number): number => (rows < TILE_ROWS ? rows : rows - (rows % TILE_ROWS));
const rowBytes = (columns: number, { dtype, compute = 'f32' }: MatrixForm): number => (dtype === 'float32' ? columns * STORED_BYTES[compute] : blocksPerRow(columns) * bytesPerBlock(dtype));

function productOf(graph: GraphBuilder, x: string, { name, weight, form: { dtype, compute = 'f32' } }: Matrix): string {
  if (dtype === 'float32') return graph.node('Gemm', [x, graph.weight(name, floats(weight, compute))], { attributes: { transB: 1 } });
  const [codes, scales] = quantisedWeight(weight, { dtype, compute });
  return graph.node('MatMulNBits', [x, graph.weight(`${name}.codes`, codes), graph.weight(`${name}.scales`, scales)], {
    domain: 'com.microsoft',
    // Level 4: activations are quantised to int8 in blocks too, sums are float32.
    attributes: { K: weight.columns, N: weight.rows, bits: QUANTISED_BITS[dtype], block_size: BLOCK_SIZE, accuracy_level: 4 },
  });
}

/** A vector, [columns]. */
export function vector(graph: GraphBuilder, name: string, view: TensorView): string {
  const rows = stack(view);
  return graph.weight(name, { ...floats(rows, 'f32'), dims: [view.columns] });
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

function floats(rows: Rows, type: ComputeDtype): ExternalWeight {
  return {
    type, dims: [rows.rows, rows.columns], byteLength: rows.rows * rows.columns * STORED_BYTES[type], sources: rows.views,
    async *chunks() {
      for await (const values of rowChunks(rows)) yield encodeStored(values, type);
    },
  };
}

/** Codes and scales. The rows are read once where the codes are asked for first: their scales are kept until they are asked for. */
function quantisedWeight(rows: Rows, { dtype, compute }: { readonly dtype: QuantisedDtype; readonly compute: ComputeDtype }): [ExternalWeight, ExternalWeight] {
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
    for (const part of kept) yield encodeStored(part, compute);
    kept = [];
  }
  return [
    { type: 'u8', dims: [rows.rows, blocks, bytesPerBlock(dtype)], byteLength: rows.rows * blocks * bytesPerBlock(dtype), sources: rows.views, chunks: codes },
    { type: compute, dims: [rows.rows * blocks], byteLength: rows.rows * blocks * STORED_BYTES[compute], sources: rows.views, chunks: scales },
  ];
}
