export { compileIntoCache, type CompileProgress } from './compile.ts';
export { GraphCache } from './graph-cache.ts';
export { OnnxModel, type PieceFile } from './onnx-model.ts';
