import { assert, type StoredDtype } from '@essaim/core';
import { STORED_BYTES } from '@essaim/quantise';
import { aligned, panelBytes, type PanelForm, panelsOf } from './panel.ts';
import { type PanelModel, type PanelPiece } from './piece.ts';
import { type PieceTensor, tensorsOf } from './tensors.ts';

/** Where a tensor is in its piece. */
interface Place {
  /** From the start of the piece, a multiple of 64. */
  readonly offset: number;
  readonly bytes: number;
  readonly columns: number;
}

/** Matrices [rows, columns] of one width, one above the other: a linear kernel computes all of them as one. */
export interface PanelTensor extends Place {
  readonly form: PanelForm;
  /** Of all parts together, what fills up their last panels aside. */
  readonly rows: number;
  readonly panels: number;
  /** The matrices in order; the results of one begin at column 16 * firstPanel. */
  readonly parts: readonly { readonly rows: number; readonly firstPanel: number }[];
}

/** [columns], float32. */
export interface VectorTensor extends Place {
  readonly form: 'vector';
}

/** A table [rows, columns], row by row as the checkpoint has it. */
export interface RowsTensor extends Place {
  readonly form: 'rows';
  readonly dtype: StoredDtype;
  readonly rows: number;
}

export type TensorLayout = PanelTensor | VectorTensor | RowsTensor;

/** A piece in a file or in memory. */
export interface PieceLayout {
  /** A multiple of 64. */
  readonly bytes: number;
  /** embed: embedding. layer: attentionNorm, qkv, output, feedForwardNorm and, where it routes, router and perhaps correctionBias. dense and expert: gateUp, down. head: norm, head. */
  readonly tensors: Readonly<Record<string, TensorLayout>>;
}

/** Where everything of a piece is. Nothing of the weights is read: their shapes, and the stored form of the embedding, are known. */
export function layoutOf(model: PanelModel, piece: PanelPiece): PieceLayout {
  const tensors: Record<string, TensorLayout> = {};
  let offset = 0;
  for (const tensor of tensorsOf(model, piece)) {
    const layout = placed(tensor, offset);
    tensors[tensor.name] = layout;
    offset = aligned(offset + layout.bytes);
  }
  return { bytes: offset, tensors };
}

/** The matrices of a name; that the piece has no panels of this name is a bug. */
export function panelsNamed({ tensors }: PieceLayout, name: string): PanelTensor {
  const tensor = tensors[name];
  assert(tensor && tensor.form !== 'vector' && tensor.form !== 'rows', `the piece has panels '${name}'`);
  return tensor;
}

function placed(tensor: PieceTensor, offset: number): TensorLayout {
  switch (tensor.kind) {
    case 'vector':
      return { form: 'vector', columns: tensor.view.columns, offset, bytes: tensor.view.columns * STORED_BYTES.f32 };
    case 'rows': {
      const { rows, columns, dtype } = tensor.view;
      return { form: 'rows', dtype, rows, columns, offset, bytes: rows * columns * STORED_BYTES[dtype] };
    }
    case 'panels':
      return placedPanels(tensor, offset);
  }
}

function placedPanels({ name, dtype, parts }: PieceTensor & { readonly kind: 'panels' }, offset: number): PanelTensor {
  const columns = parts[0]?.columns;
  assert(columns !== undefined && parts.every((part) => part.columns === columns), `the matrices of '${name}' have one width`);
  let panels = 0;
  const places = parts.map(({ rows }) => {
    const firstPanel = panels;
    panels += panelsOf(rows);
    return { rows, firstPanel };
  });
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return { form: dtype, rows, columns, panels, parts: places, offset, bytes: panels * panelBytes(dtype, columns) };
}
