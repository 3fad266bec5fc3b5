export { compilePiece, graphDigest, type PieceCompiler } from './compile.ts';
export { type Graph, type PlacedWeight, WEIGHTS_FILE } from './graph-builder.ts';
export { type CompiledModel, expertPieces, leadPieces, type PieceKey, pieceName } from './piece.ts';
export { type QuantisedRows, quantiseRows } from './quantise.ts';
