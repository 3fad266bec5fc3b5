export { BLOCK_SIZE, blocksPerRow, bytesPerBlock, QUANTISED_BITS, type QuantisedDtype, type QuantisedRows, type QuantiseOptions, quantiseRows, type ScaleForm } from './quantise.ts';
export { rowChunks, type Rows, splitRows, stack } from './row-chunks.ts';
export { bytesOf, encodeStored, STORED_BYTES } from './stored.ts';
