export { compilePiece, graphDigest, weightBytesOf } from './compile.ts';
export { repeatedCopyGraph, repeatedProductGraph, type Repeated } from './device-rate-graphs.ts';
export { type Graph, type PlacedWeight, WEIGHTS_FILE } from './graph-builder.ts';
export { groupedQueryOf } from './grouped-query.ts';
export { type CompiledModel, expertPieces, leadPieces, type PieceKey, pieceName, sliceCount, slicesFor } from './piece.ts';
export { selfTestGraph, uploadGraph } from './self-test-graph.ts';
