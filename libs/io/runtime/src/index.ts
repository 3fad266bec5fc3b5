export { compileIntoCache, type CompileProgress } from './compile.ts';
export { GraphCache } from './graph-cache.ts';
export { runComputeThread } from './compute-thread.ts';
export { OnnxModel, type OnnxModelOptions } from './onnx-model.ts';
export { type PieceFile } from './piece-file.ts';
