export { Engine, type EngineOptions } from './engine.ts';
export { type AttentionInput, type ModelPieces, type PostOutput, type PreOutput, type RopeAngles } from './model-pieces.ts';
export { ModelRunner, type ForwardItem, type ForwardOutput, type RunnerOptions } from './model-runner.ts';
