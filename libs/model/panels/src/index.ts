export { panelDigest } from './digest.ts';
export { interleave, type Interleave } from './interleave.ts';
export { layoutOf, type PanelTensor, panelsNamed, type PieceLayout, type RowsTensor, type TensorLayout, type VectorTensor } from './layout.ts';
export { packPiece } from './pack.ts';
export { BLOCK, blocksOf, PANEL, PANEL_FORMS, panelBytes, type PanelForm, panelsOf, quantisedStride } from './panel.ts';
export { expertPieces, leadPieces, type PanelModel, type PanelPiece, pieceName } from './piece.ts';
