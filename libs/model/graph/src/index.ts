export { amongGraph, joinGraph, regroupGraph, singlesGraph } from './blocks/among.ts';
export { attentionOf } from './blocks/attention.ts';
export { blockMaximaGraph, LOGITS_BLOCK, takeBlocksGraph } from './blocks/best-logits.ts';
export { addGraph, collectGraph, copyGraph, putGraph, squaresGraph, takeBothGraph, takeGraph } from './blocks/rows.ts';
export { compilePiece, graphDigest, weightBytesOf } from './compile.ts';
export { repeatedCopyGraph, repeatedProductGraph, type Repeated } from './device-rate-graphs.ts';
export { type Graph, type PlacedWeight, WEIGHTS_FILE } from './graph-builder.ts';
export { type CompiledModel, expertPieces, leadPieces, type PieceKey, pieceName } from './piece.ts';
export { downloadGraph, selfTestGraph, uploadGraph } from './self-test-graph.ts';
