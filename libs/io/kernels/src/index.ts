export { KERNELS_WASM } from './kernels_wasm.ts';
