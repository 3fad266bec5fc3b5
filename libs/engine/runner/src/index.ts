export { type Matcher } from './constrained-choice.ts';
export { Engine, type EngineOptions } from './engine.ts';
export { type Attended, type AttentionSpan, type AttentionStep, type DevicePieces, type DeviceState, type KeptLogits, type ModelPieces, type RopeAngles, type RouterOutput } from './model-pieces.ts';
export { visibilityOf, type Visibility } from './visibility.ts';
export { ModelRunner, type ForwardItem, type ForwardOutput, type RunnerOptions } from './model-runner.ts';
export { RopeTable } from './rope-table.ts';
export { type StepCompute } from './step-rows.ts';
