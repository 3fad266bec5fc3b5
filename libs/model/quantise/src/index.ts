export { BLOCK_SIZE, blocksPerRow, bytesPerBlock, QUANTISED_BITS, type QuantisedDtype, type QuantisedRows, type QuantiseOptions, quantiseRows, type ScaleForm } from './quantise.ts';
export { columnSlice, rowChunks, type Rows, rowSlice, type Slice, stack } from './row-chunks.ts';
export { bytesOf, encodeStored, STORED_BYTES } from './stored.ts';
