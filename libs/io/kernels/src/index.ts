export { KERNELS_WASM } from './kernels_wasm.ts';
export { type Kernels } from './kernels.ts';
export { instantiate, kernelsModule } from './module.ts';
export { kernelNeeds, type KernelNeedsOptions } from './kernel-needs.ts';
export { KernelModel, type KernelModelOptions } from './kernel-model.ts';
export { findInCache, packIntoCache, type PanelFile } from './compile-panels.ts';
export { runTeamThread } from './team-thread.ts';
